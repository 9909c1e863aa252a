import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import picocolors from 'picocolors'
import { type Client, createClient, TIME_HEADER } from '../api/index.ts'
import { CliFailure } from './failure.ts'
import type { Io } from './io.ts'
import { type LocalServer, readServerFile } from './local/server-file.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly wide?: boolean
  readonly data?: string
  readonly server?: string
}

/** What a command works with: the terminal, the global options, and the server they lead to. */
export class Cli {
  readonly io: Io
  readonly options: GlobalOptions
  readonly paint: ReturnType<typeof picocolors.createColors>
  /** By how much the clock of the server that answered last is ahead of this machine's. */
  #aheadMs = 0

  constructor(io: Io, options: GlobalOptions) {
    this.io = io
    this.options = options
    this.paint = picocolors.createColors(io.hasColour)
  }

  /** The folder of the server on this machine. */
  get dataDir(): string {
    return resolve(
      this.io.cwd,
      this.options.data ?? this.io.env.BANYAN_DATA_DIR ?? join(this.io.home, '.banyan'),
    )
  }

  /** What time it is where the answers come from: a server may be far away, or live in a time of its own. */
  now(): number {
    return this.io.now() + this.#aheadMs
  }

  get isJson(): boolean {
    return this.options.json === true
  }

  /** One JSON document for programs, or lines for people. */
  print(value: unknown, lines: () => string): void {
    this.io.out(this.isJson ? `${JSON.stringify(value, null, 2)}\n` : withNewline(lines()))
  }

  /** A remark for people that is no part of the answer; silent under --json. */
  note(text: string): void {
    if (!this.isJson) this.io.err(withNewline(text))
  }

  /** A client of the server that was named, or else of the one in the data folder. */
  async client(): Promise<Client> {
    return createClient({ ...(await this.server()), fetch: this.#fetch })
  }

  /** Where that server is, and the token to use there. */
  async server(): Promise<{ readonly baseUrl: string; readonly token: string | undefined }> {
    const { BANYAN_TOKEN: token } = this.io.env
    const named = this.options.server ?? this.io.env.BANYAN_URL
    const local = await this.localServer()
    if (named !== undefined) {
      const baseUrl = named.includes('://') ? named : `http://${named}`
      return { baseUrl, token: token ?? (local?.url === baseUrl ? await tokenOf(local) : undefined) }
    }
    if (!local) {
      throw new CliFailure(
        'unreachable',
        `no Banyan server runs from ${this.dataDir}`,
        'Start one with `banyan up`, or say where one is: BANYAN_URL and BANYAN_TOKEN.',
      )
    }
    return { baseUrl: local.url, token: token ?? (await tokenOf(local)) }
  }

  readonly #fetch: typeof fetch = async (address, init) => {
    const response = await fetch(address, init)
    const told = Number(response.headers.get(TIME_HEADER))
    if (told > 0) this.#aheadMs = told - this.io.now()
    return response
  }

  /** What the server in the data folder left there; undefined when none did. */
  localServer(): Promise<LocalServer | undefined> {
    return readServerFile(this.dataDir)
  }
}

async function tokenOf(server: LocalServer): Promise<string> {
  try {
    return (await readFile(server.tokenFile, 'utf8')).trim()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliFailure(
      'not-allowed',
      `cannot read the operator's token: ${reason}`,
      'Only the user who started the server can; others set BANYAN_TOKEN to a token of their own.',
    )
  }
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
