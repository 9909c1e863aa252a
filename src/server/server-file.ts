import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a running server leaves in its data folder so that the command line finds it. */
export interface ServerFile {
  readonly url: string
  readonly pid: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** File with the operator's token. */
  readonly tokenFile: string
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'server.json')
}

export async function writeServerFile(dataDir: string, content: ServerFile): Promise<void> {
  const beside = `${pathOf(dataDir)}.new`
  await writeFile(beside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await rename(beside, pathOf(dataDir))
}

/** Removes the file if it is this process's own. */
export async function removeServerFile(dataDir: string, pid: number): Promise<void> {
  const text = await readFile(pathOf(dataDir), 'utf8').catch(() => '')
  if (text.includes(`"pid": ${pid}`)) await rm(pathOf(dataDir), { force: true })
}
