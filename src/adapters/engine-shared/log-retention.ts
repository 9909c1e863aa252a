import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

interface KeptLogs {
  readonly path: string
  readonly bytes: number
  readonly since: number
}

/** Attempts whose logs are kept at most, since every file costs the file system an entry. */
const MOST_ATTEMPTS = 10_000

/** Keeps the logs of forgotten attempts, the oldest of which go when they outgrow the cap together. */
export class LogRetention {
  readonly #folder: string
  readonly #capBytes: number
  #kept: KeptLogs[] = []
  #totalBytes = 0

  constructor(folder: string, capBytes: number) {
    this.#folder = folder
    this.#capBytes = capBytes
  }

  /** Takes in what earlier processes kept. */
  async load(): Promise<void> {
    const found: KeptLogs[] = []
    for (const name of await readdir(this.#folder)) found.push(await measure(join(this.#folder, name)))
    for (const logs of found.sort((a, b) => a.since - b.since)) this.#count(logs)
    await this.#prune()
  }

  /** Reduces a finished attempt's folder to its logs and counts it. */
  async keep(path: string): Promise<void> {
    this.#count(await measure(path))
    await this.#prune()
  }

  #count(logs: KeptLogs): void {
    this.#kept.push(logs)
    this.#totalBytes += logs.bytes
  }

  async #prune(): Promise<void> {
    while (this.#totalBytes > this.#capBytes || this.#kept.length > MOST_ATTEMPTS) {
      const oldest = this.#kept.shift()
      if (!oldest) return
      this.#totalBytes -= oldest.bytes
      await rm(oldest.path, { recursive: true, force: true })
    }
  }
}

async function measure(path: string): Promise<KeptLogs> {
  for (const name of await readdir(path)) {
    if (name !== 'logs') await rm(join(path, name), { recursive: true, force: true })
  }
  const logs = join(path, 'logs')
  let bytes = 0
  for (const name of await readdir(logs).catch(() => [])) bytes += (await stat(join(logs, name))).size
  return { path, bytes, since: (await stat(path)).mtimeMs }
}
