import type { TimeMs } from '../base/index.ts'
import { compareIds, DAY_MS } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import type { QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import type { Hold } from './plan.ts'
import type { Claim } from './quota.ts'
import type { TopologyTree } from './tree.ts'

/** Windows that open later than this do not bind a gang without a limit: it could never start otherwise. */
export const LOOK_AHEAD_MS = 7 * DAY_MS

/** Whether a gang that starts now might still run when the window opens, or may not run in it while it is open. */
export function binds(reservation: Reservation, claim: Claim, now: TimeMs): boolean {
  const { from, to } = reservation
  if (to <= now || from >= now + (claim.gang.limitMs ?? LOOK_AHEAD_MS)) return false
  return from > now || !isOwner(reservation, claim)
}

/**
 * Windows in the order in which they keep nodes that more than one of them names: the first to open, maintenance
 * before what is kept for somebody.
 */
export function inTime(reservations: Iterable<Reservation>): Reservation[] {
  const rank = ({ kind }: Reservation) => (kind === 'maintenance' ? 0 : 1)
  return [...reservations].sort((a, b) => a.from - b.from || rank(a) - rank(b) || compareIds(a.id, b.id))
}

/** The nodes of a reservation that are there, by index, in ascending order. */
export function reservedNodes(tree: TopologyTree, { nodes }: Pick<Reservation, 'nodes'>): number[] {
  if (!('domain' in nodes))
    return [...new Set(nodes.flatMap((node) => tree.nodeIndex.get(node) ?? []))].sort((a, b) => a - b)
  const { domain } = nodes
  const inside: number[] = []
  tree.descriptions.forEach((node, n) => {
    if (domain.every((name, depth) => node.domains[depth] === name)) inside.push(n)
  })
  return inside
}

/** Whether the gang may run in the window: by its user, or by its queue or one above it. */
export function isOwner({ owners }: Pick<Reservation, 'owners'>, { gang, user }: Claim): boolean {
  if (!owners) return false
  if (owners.users?.includes(gang.user)) return true
  for (let queue: QueueRecord | undefined = user.parent; queue; queue = queue.parent)
    if (owners.queues?.includes(queue.queue.id)) return true
  return false
}

/** Whether the gang of a hold may no longer run in its place, because of a window that was made since. */
export function reachesIntoWindow(
  { reservations, waiting, fleet }: Machine,
  hold: Hold,
  now: TimeMs,
): boolean {
  if (reservations.size === 0) return false
  const entry = waiting.get(hold.workload, hold.replica)
  if (!entry) return false
  const held = new Set(hold.allocation.parts.map((part) => fleet.tree.nodeIndex.get(part.node)))
  return [...reservations.values()].some(
    (reservation) =>
      binds(reservation, entry, now) && reservedNodes(fleet.tree, reservation).some((node) => held.has(node)),
  )
}
