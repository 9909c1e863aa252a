import type { DurationMs, QueueId, ReservationId, TimeMs, UserId, WorkloadId } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'

export const BLOCKER_KINDS = [
  'quota',
  'capacity',
  'shape',
  'health',
  'priority',
  'reservation',
  'limit',
  'dependency',
] as const
export type BlockerKind = (typeof BLOCKER_KINDS)[number]

/** Why one queued gang does not start now: every blocker at once, worst first, and what would change it. */
export interface Explanation {
  readonly workload: WorkloadId
  readonly replica: number
  /** Place in the order of the queue, from 1. */
  readonly position: number
  readonly blockers: readonly Blocker[]
  readonly counterfactuals: readonly Counterfactual[]
}

export interface Blocker {
  readonly kind: BlockerKind
  /** One sentence with the numbers in it. It names no other work: who may know of that is decided over `holders`. */
  readonly message: string
  readonly needed?: number
  readonly available?: number
  readonly unit?: 'GPUs' | 'nodes' | 'workloads' | 'GPU-hours'
  /** Who holds what is missing, or is ahead and holds nothing yet; the server hides those the reader may not see. */
  readonly holders: readonly Holder[]
  /** Calendar windows that keep what is free; the server hides those the reader may not see. */
  readonly windows?: readonly Window[]
  /** When the blocker ends by itself at the earliest, if run times are known. */
  readonly earliestEndAt?: TimeMs
}

export type Window = Pick<Reservation, 'id' | 'kind' | 'from' | 'to' | 'reason'>

export interface Holder {
  readonly workload: WorkloadId
  readonly queue: QueueId
  readonly user: UserId
  readonly gpus: number
  readonly endsAt?: TimeMs
}

/** A change that was really tried on a transaction over the live state. */
export interface Counterfactual {
  readonly change:
    | { readonly kind: 'fewer-nodes'; readonly nodes: number }
    | { readonly kind: 'fewer-gpus'; readonly gpus: number }
    | { readonly kind: 'wider-level'; readonly level: string }
    | { readonly kind: 'any-level' }
    | { readonly kind: 'preferred-spread' }
    | { readonly kind: 'other-gpu'; readonly model: string }
    | { readonly kind: 'other-queue'; readonly queue: QueueId }
    | { readonly kind: 'shorter-limit'; readonly limitMs: DurationMs }
    | { readonly kind: 'without-reservation'; readonly reservation: ReservationId }
    | { readonly kind: 'evict-lower-priority'; readonly workloads: readonly WorkloadId[] }
  readonly message: string
  readonly startsNow: boolean
  readonly startsAt?: TimeMs
}
