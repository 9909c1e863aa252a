import type { AttemptId } from '../base/index.ts'
import type { EngineFact } from '../control/index.ts'
import type { RankTimes } from '../model/index.ts'

/** So many times of ranks are kept in all, the newest heard of: 16 MB, or ten gangs of 100,000 GPUs. */
const MOST_TIMES = 1_000_000

/**
 * How long each rank computes, by attempt, as last heard. It is what is the case now and no part of the record: after a
 * restart the engine tells it again of what still runs.
 */
export class LatestRankTimes {
  readonly #byAttempt = new Map<AttemptId, RankTimes>()
  #kept = 0

  /** Keeps what the facts tell, and forgets the attempts that were heard of longest ago where it is too much. */
  take(facts: readonly EngineFact[]): void {
    for (const fact of facts) {
      if (fact.kind !== 'attempt-progress' || !fact.ranks) continue
      this.#forget(fact.attempt)
      this.#byAttempt.set(fact.attempt, fact.ranks)
      this.#kept += fact.ranks.computeMs.length
    }
    for (const attempt of this.#byAttempt.keys()) {
      if (this.#kept <= MOST_TIMES) break
      this.#forget(attempt)
    }
  }

  of(attempt: AttemptId): RankTimes | undefined {
    return this.#byAttempt.get(attempt)
  }

  #forget(attempt: AttemptId): void {
    this.#kept -= this.#byAttempt.get(attempt)?.computeMs.length ?? 0
    this.#byAttempt.delete(attempt)
  }
}
