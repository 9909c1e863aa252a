import type { AttemptId, TimeMs, UserId } from '../base/index.ts'
import type { Queue } from '../model/index.ts'
import type { Footprint } from './footprint.ts'
import type { QueuedGang } from './gang.ts'

/** Something that holds capacity: a live attempt, a start that a pass plans, or what a hold keeps free. */
export interface Occupant {
  gang: QueuedGang
  readonly user: UserRecord
  /** Absent for planned starts and holds. */
  readonly attempt: AttemptId | undefined
  footprint: Footprint
  /** Index of the GPU model in the queue tree. */
  model: number
  /** Thousandths of a GPU that count as held by its queue. */
  gpuMilli: number
  readonly startedAt: TimeMs
  /** When it ends at the latest if its run time is limited, else when it is expected to. */
  endsAt: TimeMs
  checkpointAt: TimeMs | undefined
  stopping: boolean
}

/**
 * Use of the machine by a queue or by one user of it, per GPU model: what is held now and what was, decayed. Shares
 * compare these; limits compare `heldMilli`.
 */
export interface UsageRecord {
  readonly parent: UsageRecord | undefined
  weight: number
  /** Thousandths of a GPU held now, over all models. */
  heldMilli: number
  /** Thousandths held now, by model. */
  readonly held: number[]
  /** Sum over what is held of thousandths times the second it started, counted from the clock's origin. */
  readonly heldSince: number[]
  /** GPU-seconds of what has ended, scaled to the clock's epoch. */
  readonly ended: number[]
}

export interface QueueRecord extends UsageRecord {
  readonly queue: Queue
  readonly parent: QueueRecord | undefined
  readonly users: Map<UserId, UserRecord>
  /** Live attempts of this queue itself, by priority; kept by the fleet. */
  readonly live: Map<number, Set<Occupant>>
  /** Gangs in line of this queue and of those below it; kept by the line. */
  inLine: number
  /** What has ended within the window of its budget, if it has one. */
  budgetSpans: BudgetSpan[]
  budgetAt: { readonly now: TimeMs; readonly changes: number; readonly spent: number } | undefined
}

export interface UserRecord extends UsageRecord {
  readonly user: UserId
  readonly parent: QueueRecord
}

/** GPUs of one queue that were held for a while. */
export interface BudgetSpan {
  readonly from: TimeMs
  readonly to: TimeMs
  readonly gpuMilli: number
}
