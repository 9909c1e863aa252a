import type { AttemptId, NodeId, TimeMs, WorkloadId } from '../base/index.ts'
import { compareIds } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import type { Machine } from './machine.ts'
import { domainAround, domainPath, type TopologyTree } from './tree.ts'
import { isOwner, reservedNodes } from './windows.ts'

interface CountWish {
  readonly count: number
  /** Inside this domain, by its path. */
  readonly domain?: readonly string[]
  readonly from: TimeMs
  readonly to: TimeMs
}

/**
 * So many whole nodes of one kind for a window, or undefined when there are too few: of those that nobody else has
 * reserved meanwhile, the ones that will be free when it opens before those that may still be busy; in the smallest
 * domain that has enough, and among those in the one with the fewest to spare.
 */
export function chooseNodes(machine: Machine, wish: CountWish): NodeId[] | undefined {
  const { fleet } = machine
  const { tree, nodes, nodeEndsAt } = fleet
  fleet.prepare()
  const taken = new Set<number>()
  for (const other of machine.reservations.values())
    if (other.from < wish.to && other.to > wish.from) for (const n of reservedNodes(tree, other)) taken.add(n)
  const inside = wish.domain ? reservedNodes(tree, { nodes: { domain: wish.domain } }) : tree.nodeIds.keys()
  const usable = [...inside].filter(
    (n) =>
      !taken.has(n) && tree.descriptions[n]!.gpuCount > 0 && nodes.get(tree.nodeIds[n]!)?.state === 'ready',
  )
  const free = usable.filter((n) => nodeEndsAt[n]! <= wish.from)
  const chosen =
    tightest(tree, free, wish.count) ?? tightest(tree, soonest(usable, wish.count, machine), wish.count)
  return chosen?.map((n) => tree.nodeIds[n]!)
}

/** Nodes of one class in the deepest domain that has `count` of them, the one with the fewest to spare. */
function tightest(tree: TopologyTree, nodes: readonly number[], count: number): number[] | undefined {
  for (let depth = tree.leafDepth; depth >= 0; depth--) {
    const groups = new Map<string, number[]>()
    for (const n of nodes) {
      const key = `${tree.nodeClass[n]} ${domainAround(tree, n, depth)}`
      const group = groups.get(key)
      if (group) group.push(n)
      else groups.set(key, [n])
    }
    let best: number[] | undefined
    for (const group of groups.values())
      if (group.length >= count && (!best || group.length < best.length)) best = group
    if (best) return best.slice(0, count)
  }
  return undefined
}

/** For each class the nodes that fall free first, as many as are wanted. */
function soonest(nodes: readonly number[], count: number, { fleet }: Machine): number[] {
  const { tree, nodeEndsAt } = fleet
  const byEnd = [...nodes].sort((a, b) => nodeEndsAt[a]! - nodeEndsAt[b]! || a - b)
  const chosen: number[] = []
  for (let c = 0; c < tree.classes.length; c++)
    chosen.push(...byEnd.filter((n) => tree.nodeClass[n] === c).slice(0, count))
  return chosen.sort((a, b) => a - b)
}

/** The nodes of a reservation that are there now, in the order of the topology. */
export function nodesOfReservation({ fleet }: Machine, reservation: Pick<Reservation, 'nodes'>): NodeId[] {
  return reservedNodes(fleet.tree, reservation).map((n) => fleet.tree.nodeIds[n]!)
}

export interface WorkInWindow {
  readonly workload: WorkloadId
  readonly attempt: AttemptId
  /** Its nodes in the window. */
  readonly nodes: readonly NodeId[]
  /** When its time limit ends it; absent when it has none. */
  readonly endsAt?: TimeMs
}

/** Work on the nodes of a window that is not its owners' and may still run when it opens, or runs there now. */
export function othersWorkIn(machine: Machine, reservation: Reservation, now: TimeMs): WorkInWindow[] {
  const { fleet } = machine
  const inside = new Set(reservedNodes(fleet.tree, reservation))
  const opensAt = Math.max(reservation.from, now)
  const work: WorkInWindow[] = []
  for (const occupant of machine.live.values()) {
    const { gang, attempt, footprint, endsAt } = occupant
    const isLimited = gang.limitMs !== undefined
    if (isOwner(reservation, occupant) || (isLimited && endsAt <= opensAt)) continue
    const nodes = footprint.nodes.filter((n) => inside.has(n)).map((n) => fleet.tree.nodeIds[n]!)
    if (nodes.length > 0)
      work.push({ workload: gang.workload, attempt: attempt!, nodes, ...(isLimited && { endsAt }) })
  }
  return work.sort((a, b) => compareIds(a.attempt, b.attempt))
}

/** The paths of all domains, for messages: `pod1/block2`. */
export function domainPaths({ fleet }: Machine): string[] {
  return Array.from({ length: fleet.tree.domainCount - 1 }, (_, i) => domainPath(fleet.tree, i + 1))
}
