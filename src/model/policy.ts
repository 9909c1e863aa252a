import type { DurationMs } from '../base/index.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/index.ts'

export const PRIORITY_CLASSES = ['low', 'normal', 'high', 'critical'] as const
export type PriorityClass = (typeof PRIORITY_CLASSES)[number]

/** Larger goes first. */
export const PRIORITY_RANK: Readonly<Record<PriorityClass, number>> = {
  low: 0,
  normal: 1,
  high: 2,
  critical: 3,
}

export const ORDERINGS = ['fair', 'fifo', 'shortest', 'shortest-service', 'least-attained-service'] as const
export type Ordering = (typeof ORDERINGS)[number]

/**
 * Where the run times come from that `shortest` and `shortest-service` order by. `predicted` goes by what the program itself
 * reports of its progress, and until it has, by past runs; `exact` exists only in the twin.
 */
export const RUN_TIME_SOURCES = ['declared', 'predicted', 'exact'] as const
export type RunTimeSource = (typeof RUN_TIME_SOURCES)[number]

/** The settings of the scheduler: a value that can be stored, compared and tried in the twin. */
export interface Policy {
  readonly version: 1
  readonly name: string
  readonly ordering: Ordering
  /** Whether a better-placed workload in `ordering` may stop a running one, beyond reclaim and priority. */
  readonly preemptByOrdering: boolean
  readonly runTimes: RunTimeSource
  /**
   * Under `least-attained-service`: bounds in GPU-hours between levels of attained service. Gangs on one level go by age,
   * so that running ones are not swapped all the time. Empty orders by attained service itself.
   */
  readonly serviceLevels: readonly number[]
  /**
   * Under `least-attained-service`: attained service counts times the gang's GPUs to this power, and on one level
   * smaller gangs go first, since they keep fewer others waiting. 0 counts service as it is.
   */
  readonly serviceSizeWeight: number
  /** `strict`: nothing overtakes the blocked head; `holds`: others may where no hold is delayed; `greedy`: whatever fits starts. */
  readonly backfill: 'strict' | 'holds' | 'greedy'
  /** How many blocked gangs at the head get a hold. */
  readonly holdDepth: number
  readonly consolidate: boolean
  readonly reclaim: boolean
  readonly preempt: boolean
  /** A lender waits at most this long for its guarantee (S8). */
  readonly reclaimGraceMs: DurationMs
  /** Work younger than this since its start is not evicted. */
  readonly minimumRunMs: DurationMs
  /** An elastic gang that started less long ago is not started again to be larger. */
  readonly growAfterMs: DurationMs
  /** Time between the signal to save a checkpoint and the end. */
  readonly evictionGraceMs: DurationMs
  /** Half-life of past use in fair share. */
  readonly usageHalfLifeMs: DurationMs
  /** Use that a running gang is charged for in fair share beyond what it has held: what keeps a burst from starting whole. */
  readonly entryPenaltyMs: DurationMs
}

export const DEFAULT_POLICY: Policy = {
  version: 1,
  name: 'default',
  ordering: 'fair',
  preemptByOrdering: false,
  runTimes: 'predicted',
  serviceLevels: [],
  serviceSizeWeight: 0,
  backfill: 'holds',
  holdDepth: 4,
  consolidate: true,
  reclaim: true,
  preempt: true,
  reclaimGraceMs: 5 * MINUTE_MS,
  minimumRunMs: 10 * MINUTE_MS,
  growAfterMs: 30 * MINUTE_MS,
  evictionGraceMs: 30 * SECOND_MS,
  usageHalfLifeMs: 7 * 24 * HOUR_MS,
  entryPenaltyMs: HOUR_MS,
}

/** Whether the order of gangs depends on what programs report of their progress. */
export function ordersByReports({ ordering, runTimes }: Policy): boolean {
  return runTimes === 'predicted' && (ordering === 'shortest' || ordering === 'shortest-service')
}
