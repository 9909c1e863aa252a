import type { AttemptId, DurationMs, ReservationId, TimeMs, WorkloadId } from '../base/index.ts'
import type { Allocation, Resize } from '../model/index.ts'

/** What one scheduling pass decided. `control` turns it into events; nothing in it has happened yet. */
export interface Plan {
  readonly starts: readonly Start[]
  readonly evictions: readonly Eviction[]
  /** Every hold for an eviction's beneficiary that stands after this pass; `control` compares with those on record. */
  readonly holds: readonly Hold[]
  /** When a further pass could decide differently without any new event: the end of a wait, a window or a grace. */
  readonly nextPassAt?: TimeMs
}

export interface Start {
  readonly workload: WorkloadId
  readonly replica: number
  readonly allocation: Allocation
}

export interface Eviction {
  readonly attempt: AttemptId
  /** The workload that is started on the freed capacity by this very plan (S3). */
  readonly for: WorkloadId
  readonly kind: 'consolidate' | 'reclaim' | 'preempt'
  readonly graceMs: DurationMs
  /** An elastic gang starts again at another size, for which the plan holds the place; counted in the unit of its shape. */
  readonly resize?: Resize
}

/** Capacity that is kept for one gang until the attempts on it have ended and it has started (S3). */
export interface Hold {
  readonly id: ReservationId
  readonly workload: WorkloadId
  readonly replica: number
  readonly allocation: Allocation
  readonly waitsFor: readonly AttemptId[]
}
