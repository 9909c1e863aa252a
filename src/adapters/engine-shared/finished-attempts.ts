import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptId } from '../../base/index.ts'
import type { LogChunk } from '../../control/ports/index.ts'
import { exists } from './durable-file.ts'
import type { LogRetention } from './log-retention.ts'
import { readTaskLog } from './task-log.ts'

/** Folder of an attempt that is not forgotten, with its logs in it. */
interface LiveLogs {
  readonly path: string
  readonly logs: string
  readonly hasEnded: boolean
}

/** What stays of the attempts that were forgotten: that they were here, and their logs. */
export class FinishedAttempts {
  readonly #folder: string
  readonly #retention: LogRetention

  constructor(folder: string, retention: LogRetention) {
    this.#folder = folder
    this.#retention = retention
  }

  has(attempt: AttemptId): Promise<boolean> {
    return exists(this.#path(attempt))
  }

  /** Takes over the folder of an attempt that has ended, and keeps its logs; nothing when it is gone already. */
  async keep(attempt: AttemptId, path: string): Promise<void> {
    if (!(await exists(path))) return
    await rename(path, this.#path(attempt))
    await this.#retention.keep(this.#path(attempt))
  }

  /**
   * A part of the log of one task, from where it is now. `isOver` says of an attempt that is not live that nothing
   * more comes.
   */
  async readLog(
    attempt: AttemptId,
    task: number,
    from: number,
    live: LiveLogs | undefined,
    isOver: () => boolean,
  ): Promise<LogChunk> {
    if (live) {
      const chunk = await readTaskLog(live.logs, task, from, live.hasEnded)
      // Keeping moves the folder; only if it is still there was it there while it was read.
      if (!live.hasEnded || (await exists(live.path))) return chunk
    }
    return readTaskLog(join(this.#path(attempt), 'logs'), task, from, isOver())
  }

  #path(attempt: AttemptId): string {
    return join(this.#folder, attempt)
  }
}
