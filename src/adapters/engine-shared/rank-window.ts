import type { TimeMs } from '../../base/index.ts'
import { medianOf, type RankTimes } from '../../model/index.ts'

/** So many of the newest reports count: enough that one hiccup is no straggler, few enough to see a change soon. */
const REPORTS = 16

interface Report {
  readonly at: TimeMs
  readonly step: number
  readonly computeMs: readonly number[]
  readonly stepMs: number | undefined
}

/** The newest reports of how long each rank computed, within bounds whatever the program writes. */
export class RankWindow {
  #reports: readonly Report[] = []

  /** Takes in the `computeMs` and `stepMs` of a line of progress; what is not milliseconds by rank is passed over. */
  take(at: TimeMs, step: number, computeMs: unknown, stepMs: unknown): void {
    if (!Array.isArray(computeMs) || computeMs.length === 0 || !computeMs.every(isMs)) return
    const report = { at, step, computeMs, stepMs: isMs(stepMs) ? stepMs : undefined }
    // A line for another number of ranks, or for an earlier step, is of a gang that began again.
    const isSameGang = (before: Report) => before.computeMs.length === computeMs.length && before.step < step
    this.#reports = [...this.#reports.filter(isSameGang), report].slice(-REPORTS)
  }

  /** The medians; undefined before the first report. */
  get times(): RankTimes | undefined {
    const newest = this.#reports.at(-1)
    if (!newest) return undefined
    const steps = this.#reports.flatMap(({ stepMs }) => stepMs ?? [])
    return {
      at: newest.at,
      step: newest.step,
      reports: this.#reports.length,
      computeMs: newest.computeMs.map((_, rank) =>
        medianOf(this.#reports.map(({ computeMs }) => computeMs[rank] ?? 0)),
      ),
      ...(steps.length > 0 ? { stepMs: medianOf(steps) } : {}),
    }
  }
}

function isMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}
