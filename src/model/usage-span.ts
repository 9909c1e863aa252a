import type { AttemptId, TimeMs, WorkloadId } from '../base/index.ts'
import type { Owner } from './tenancy.ts'

/**
 * What GPUs were taken up with, or waited for:
 * - `queue`: asked for and not yet held; a dependency or back-off that it waited for counts too.
 * - `start`: held while the attempt was being launched.
 * - `restart`: the same, of an attempt that follows one that the platform or other work cut off.
 * - `work`: held by what ran.
 * - `user-failure`: run for nothing, since the last checkpoint or the start, because the program failed.
 * - `platform-failure`, `preempted`: the same, because the platform failed or other work took the place.
 */
export const SPAN_CAUSES = [
  'queue',
  'start',
  'restart',
  'work',
  'user-failure',
  'platform-failure',
  'preempted',
] as const
export type SpanCause = (typeof SPAN_CAUSES)[number]

/** What a user pays for: what they held, without what the platform or other work cost them (S7). */
const BILLED_CAUSES: readonly SpanCause[] = ['start', 'work', 'user-failure']

export function isBilled(cause: SpanCause): boolean {
  return BILLED_CAUSES.includes(cause)
}

/** Whether GPUs were held: in all but waiting. */
export function isHeld(cause: SpanCause): boolean {
  return cause !== 'queue'
}

/** A time in which a workload held GPUs of one model, or waited for them. */
export interface UsageSpan {
  readonly workload: WorkloadId
  /** Absent while it waited. */
  readonly attempt?: AttemptId
  readonly owner: Owner
  /** Empty while it waited, since any might have been given. */
  readonly gpuModel: string
  /** Thousandths of a GPU, all of them together. */
  readonly milliGpus: number
  readonly from: TimeMs
  readonly to: TimeMs
  readonly cause: SpanCause
}
