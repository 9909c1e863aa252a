import type { AttemptId } from '../../base/index.ts'
import type { LogChunk } from '../../control/index.ts'
import { type LiveFleet, type Run, type RunEnd, taskLog } from '../../twin/index.ts'

/** Attempts that have ended whose logs can still be read. */
const KEPT = 5_000
const LONGEST_CHUNK = 64 * 1024

/** What the programs of a twin would have written: made from how far they are, each time somebody reads. */
export class TwinLogs {
  readonly #ended = new Map<AttemptId, { readonly run: Run; readonly how: RunEnd['how'] }>()

  keep(run: Run, { how }: RunEnd): void {
    this.#ended.set(run.attempt, { run: { ...run }, how })
    const [oldest] = this.#ended.keys()
    if (this.#ended.size > KEPT && oldest !== undefined) this.#ended.delete(oldest)
  }

  read(attempt: AttemptId, task: number, from: number, fleet: LiveFleet): LogChunk {
    const live = fleet.engine.runs.get(attempt)
    const ended = live ? undefined : this.#ended.get(attempt)
    if (live) fleet.settle(live)
    const run = live ?? ended?.run
    if (!run) {
      const lost = Buffer.from('The twin keeps no log of what ended before it was started again.\n')
      return { text: lost.subarray(from).toString('utf8'), next: Math.max(from, lost.length), ended: true }
    }
    const whole = Buffer.from(taskLog(run, task, ended?.how))
    const chunk = whole.subarray(from, from + LONGEST_CHUNK)
    const next = from + chunk.length
    return { text: chunk.toString('utf8'), next, ended: ended !== undefined && next >= whole.length }
  }
}
