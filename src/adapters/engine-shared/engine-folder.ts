import { access, constants, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { AttemptId } from '../../base/index.ts'
import { reasonOf } from './durable-file.ts'
import { FinishedAttempts } from './finished-attempts.ts'
import { LogRetention } from './log-retention.ts'

const MIB = 2 ** 20

export interface EngineFolder {
  /** The folder of the engine alone. */
  readonly path: string
  /** Where the folders of attempts are that were not forgotten. */
  readonly live: string
  readonly finished: FinishedAttempts
}

/**
 * The folder of one engine, made where it is missing, with what earlier processes kept in it. `logBytesTotal` caps the
 * logs of all finished attempts together; 2 GiB when left out. Throws, naming the engine, when it cannot be written.
 */
export async function openEngineFolder(
  dataDir: string,
  engine: string,
  logBytesTotal: number = 2048 * MIB,
): Promise<EngineFolder> {
  const path = resolve(dataDir)
  const live = join(path, 'attempts')
  const finished = join(path, 'finished')
  try {
    for (const folder of [path, live, finished]) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await access(folder, constants.W_OK)
    }
  } catch (error) {
    throw new Error(`the ${engine} engine cannot write to its data folder ${path}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  const retention = new LogRetention(finished, logBytesTotal)
  await retention.load()
  return { path, live, finished: new FinishedAttempts(finished, retention) }
}

/** Throws unless the id can be the name of a folder. */
export function assertIsName(attempt: AttemptId): void {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(attempt)) throw new Error(`"${attempt}" is not an attempt id`)
}
