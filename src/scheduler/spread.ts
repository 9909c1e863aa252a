import type { Spread } from '../model/index.ts'
import type { Blocker } from './explanation.ts'
import type { Fleet } from './fleet.ts'
import type { QueuedGang } from './gang.ts'
import type { RequestClass } from './request-class.ts'
import { domainAround, type TopologyTree } from './tree.ts'

/**
 * Nodes to leave alone so that a replica stands apart from the others of its workload, best first: those of every
 * domain of its level that has one, then those of domains that have more than one, and so on to none.
 */
export function apart(fleet: Fleet, gang: QueuedGang, request: RequestClass): number[][] {
  const { tree } = fleet
  const depth = request.spreadDepth
  if (depth === undefined) return [[]]
  const replicas = replicasByDomain(fleet, gang, depth)
  const counts = [...new Set(replicas.values())].sort((a, b) => a - b)
  return [0, ...counts].map((most) =>
    [...replicas].filter(([, count]) => count > most).flatMap(([domain]) => nodesUnder(tree, domain, depth)),
  )
}

/** The same where standing apart is required: the nodes of every domain of its level that has another replica. */
export function apartAlways(fleet: Fleet, gang: QueuedGang, request: RequestClass): number[] {
  return request.request.spread?.mode === 'required' ? apart(fleet, gang, request)[0]! : []
}

/** What is said when every domain that has room has a replica already. */
export function sharesDomain({ level }: Spread): Blocker {
  return {
    kind: 'shape',
    message: `Its replicas must stand in different domains of the level ${level}, and each that has room has one already.`,
    holders: [],
  }
}

/** Other replicas of the workload that stand, or that this pass has placed, by domain; those that are ending do not count. */
function replicasByDomain({ occupants, tree }: Fleet, gang: QueuedGang, depth: number): Map<number, number> {
  const replicas = new Map<number, number>()
  for (const { gang: other, footprint, stopping } of occupants) {
    if (other.workload !== gang.workload || other.replica === gang.replica || stopping) continue
    for (const domain of new Set(footprint.nodes.map((node) => domainAt(tree, node, depth))))
      replicas.set(domain, (replicas.get(domain) ?? 0) + 1)
  }
  return new Map([...replicas].sort(([a], [b]) => a - b))
}

/** Below the innermost domains each node stands for itself. */
function domainAt(tree: TopologyTree, node: number, depth: number): number {
  return depth > tree.leafDepth ? node : domainAround(tree, node, depth)
}

function nodesUnder(tree: TopologyTree, domain: number, depth: number): number[] {
  if (depth > tree.leafDepth) return [domain]
  const nodes: number[] = []
  for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) nodes.push(n)
  return nodes
}
