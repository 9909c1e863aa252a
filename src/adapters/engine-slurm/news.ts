import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptId } from '../../base/index.ts'
import { id } from '../../base/index.ts'

/**
 * The folder in which launchers leave an empty file of their attempt's name whenever they have told something, so that
 * one look tells of all attempts. News may be late or missing where the file system is slow to show them: the
 * controller is asked all the same.
 */
export class News {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  pathOf(attempt: AttemptId): string {
    return join(this.#folder, attempt)
  }

  /** Attempts of which something was told since the last call. Read their folders after it, never before. */
  async take(): Promise<AttemptId[]> {
    const names = await readdir(this.#folder)
    await Promise.all(names.map((name) => rm(join(this.#folder, name), { force: true })))
    return names.map((name) => id<AttemptId>(name))
  }
}
