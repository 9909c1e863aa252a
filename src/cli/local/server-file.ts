import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliFailure } from '../failure.ts'

/** What a running server leaves in its data folder as server.json (mode 600). */
export interface LocalServer {
  readonly url: string
  readonly pid: number
  /** Milliseconds since the Unix epoch when it began to listen. */
  readonly startedAt: number
  /** File with the operator's token. */
  readonly tokenFile: string
}

/** The content of server.json, which may be of a server that was killed since; undefined when there is none. */
export async function readServerFile(dataDir: string): Promise<LocalServer | undefined> {
  const path = join(dataDir, 'server.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'EACCES') {
      throw new CliFailure(
        'not-allowed',
        `${path} belongs to another user`,
        'Set BANYAN_URL and BANYAN_TOKEN to use their server.',
      )
    }
    throw error
  }
  try {
    const { url, pid, startedAt, tokenFile } = JSON.parse(text) as Partial<LocalServer>
    if (typeof url === 'string' && typeof pid === 'number' && typeof tokenFile === 'string') {
      return { url, pid, tokenFile, startedAt: startedAt ?? 0 }
    }
  } catch {
    // Falls through to the failure below: not JSON is as broken as JSON without our fields.
  }
  throw new CliFailure('internal', `${path} is broken`, 'Remove it; `banyan up` writes it anew.')
}
