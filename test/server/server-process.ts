import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../../src/api/index.ts'

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url))
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const LINES_KEPT = 200

export interface ServerProcessOptions {
  readonly dataDir: string
  /** The server's entry; the source when left out. */
  readonly main?: string
  readonly slots?: number
  readonly port?: number
  readonly databaseUrl?: string
  /** Modules to load before the server. */
  readonly imports?: readonly string[]
  /** More arguments of the server, and what its environment has beside the test's own. */
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Put before the command, to run it inside something. */
  readonly wrapper?: readonly string[]
}

/** A real server process, to be talked to, signalled and killed. */
export class ServerProcess {
  readonly options: ServerProcessOptions
  readonly child: ChildProcess
  /** What it wrote to standard error last, line by line. */
  readonly lines: string[] = []
  /** Resolves with its address when it answers; rejects with what it said when it ends before. */
  readonly ready: Promise<string>
  /** Resolves when it has ended and all that it said has been read. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>

  constructor(options: ServerProcessOptions) {
    this.options = options
    const loaders = [...(options.main === undefined ? ['tsx'] : []), ...(options.imports ?? [])]
    const args = [...loaders.flatMap((path) => ['--import', path]), options.main ?? MAIN]
    args.push('--data', options.dataDir, '--port', `${options.port ?? 0}`)
    args.push(...(options.args ?? ['--slots', `${options.slots ?? 4}`]))
    if (options.databaseUrl !== undefined) args.push('--database-url', options.databaseUrl)
    const [program = '', ...rest] = [...(options.wrapper ?? []), process.execPath, ...args]
    const { DATABASE_URL: _ours, ...env } = process.env
    this.child = spawn(program, rest, {
      cwd: REPOSITORY,
      env: { ...env, ...options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    this.ready = new Promise((resolve, reject) => {
      createInterface({ input: this.child.stderr! }).on('line', (line) => {
        this.lines.push(line)
        if (this.lines.length > LINES_KEPT) this.lines.shift()
        const url = /"url":"([^"]+)".*Banyan answers/.exec(line)?.[1]
        if (url) resolve(url)
      })
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`the server ended (${code ?? signal}): ${this.said}`)),
      )
    })
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get said(): string {
    return this.lines.join('\n')
  }

  get token(): string {
    return readFileSync(join(this.options.dataDir, 'operator.token'), 'utf8').trim()
  }

  /** The typed client, as the operator of the data folder. */
  async client(retryPausesMs: readonly number[] = []): Promise<Client> {
    return createClient({ baseUrl: await this.ready, token: this.token, retryPausesMs })
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal)
    await this.exited
  }
}
