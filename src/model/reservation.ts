import type { NodeId, QueueId, ReservationId, TimeMs, UserId } from '../base/index.ts'

/**
 * - `reserved`: the nodes are kept for the owners' work.
 * - `maintenance`: nobody's work may run there.
 */
export const RESERVATION_KINDS = ['reserved', 'maintenance'] as const
export type ReservationKind = (typeof RESERVATION_KINDS)[number]

/**
 * Nodes that are kept for somebody, or for nobody, in a window of time. Nothing that might still run when the
 * window opens is placed there; once it is open only its owners' work is.
 */
export interface Reservation {
  /** The name that its maker gave it. */
  readonly id: ReservationId
  readonly kind: ReservationKind
  readonly from: TimeMs
  /** First instant at which it no longer holds. */
  readonly to: TimeMs
  /** The nodes, or all nodes of one domain by its path from the outermost level. */
  readonly nodes: readonly NodeId[] | { readonly domain: readonly string[] }
  /** Whose work may run there; nobody's where it is absent. */
  readonly owners?: ReservationOwners
  /** For people: `replacing optics in block 7`. */
  readonly reason: string
}

export interface ReservationOwners {
  /** With all that stands below them. */
  readonly queues?: readonly QueueId[]
  readonly users?: readonly UserId[]
}

/** Which nodes a reservation is to have, before they are chosen. */
export type ReservationWish =
  | { readonly kind: 'nodes'; readonly nodes: readonly NodeId[] }
  | { readonly kind: 'domain'; readonly domain: readonly string[] }
  /** So many whole nodes of one kind, inside the domain if one is named. */
  | { readonly kind: 'count'; readonly count: number; readonly domain?: readonly string[] }
