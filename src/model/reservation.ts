import type { NodeId, QueueId, ReservationId, TimeMs, UserId } from '../base/index.ts'

/**
 * Nodes that are kept for somebody, or for nobody, in a window of time. Nothing that might still run when the
 * window opens is placed there; once it is open only its owners' work is.
 */
export interface Reservation {
  readonly id: ReservationId
  readonly from: TimeMs
  /** First instant at which it no longer holds. */
  readonly to: TimeMs
  /** The nodes, or all nodes of one domain by its path from the outermost level. */
  readonly nodes: readonly NodeId[] | { readonly domain: readonly string[] }
  /** Whose work may run there; absent for maintenance. */
  readonly owners?: { readonly queues?: readonly QueueId[]; readonly users?: readonly UserId[] }
  /** For people: `replacing optics in block 7`. */
  readonly reason: string
}
