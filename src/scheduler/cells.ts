import { compareIds } from '../base/index.ts'
import type { Occupant, QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { isBorrowing, isPartOf } from './quota.ts'
import type { TopologyTree } from './tree.ts'

/**
 * The domains that now stand for each queue's guarantee in whole domains. They are chosen anew whenever they are
 * looked at: those the queue uses already, then those where least would have to be ended; so a guarantee moves to
 * another domain rather than that anything is evicted for it (the lazy preemption of Zhao et al., "HiveD", OSDI 2020).
 */
export interface Cells {
  readonly owner: QueueRecord
  readonly domains: readonly number[]
}

export function cellsOf(machine: Machine): Cells[] {
  const { tree } = machine.fleet
  const taken = new Map<number, QueueRecord>()
  const withDomains = machine.queues.guaranteed.filter(({ queue }) => queue.guaranteedDomains)
  const depth = (record: QueueRecord) => tree.levels.indexOf(record.queue.guaranteedDomains!.level) + 1
  // The largest domains first, as a buddy allocator would, and parents, whose ids begin their children's, before these.
  withDomains.sort((a, b) => depth(a) - depth(b) || compareIds(a.queue.id, b.queue.id))
  return withDomains.map((owner) => {
    const { count } = owner.queue.guaranteedDomains!
    const at = depth(owner)
    // The levels of a cluster may change after the guarantee was given.
    if (at < 1 || at > tree.leafDepth) return { owner, domains: [] }
    const clean: { domain: number; isInside: boolean; own: number; foreign: number }[] = []
    for (let d = tree.depthStart[at]!; d < tree.depthStart[at + 1]!; d++) {
      const by = takenBy(d)
      if (by && !isPartOf(owner, by)) continue
      const use = useOf(machine, d, owner)
      if (use) clean.push({ domain: d, isInside: by !== undefined, ...use })
    }
    // What a parent is guaranteed holds what its children are.
    clean.sort(
      (a, b) =>
        Number(b.isInside) - Number(a.isInside) ||
        b.own - a.own ||
        a.foreign - b.foreign ||
        a.domain - b.domain,
    )
    const domains = clean.slice(0, count).map(({ domain }) => domain)
    for (const domain of domains) taken.set(domain, owner)
    return { owner, domains }
  })

  function takenBy(domain: number): QueueRecord | undefined {
    for (let d = domain; d >= 0; d = tree.domainParent[d]!) {
      const owner = taken.get(d)
      if (owner) return owner
    }
    return undefined
  }
}

/** The nodes of the domains that stand for others' guarantees. */
export function nodesOfOthers(tree: TopologyTree, cells: readonly Cells[], queue: QueueRecord): number[] {
  const nodes: number[] = []
  for (const { owner, domains } of cells) {
    if (isPartOf(queue, owner)) continue
    for (const domain of domains)
      for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) nodes.push(n)
  }
  return nodes
}

/** GPUs held in the domain by the owner and by others; undefined when a node is not ready or another's work there cannot be ended. */
function useOf(
  machine: Machine,
  domain: number,
  owner: QueueRecord,
): { own: number; foreign: number } | undefined {
  const { tree, capacity, onNode } = machine.fleet
  let own = 0
  let foreign = 0
  for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) {
    if (capacity.closed[n] !== 0) return undefined
    for (const occupant of onNode[n]!) {
      if (isPartOf(occupant.user.parent, owner)) own += occupant.gpuMilli
      else if (isPinned(machine, occupant, owner)) return undefined
      else foreign += occupant.gpuMilli
    }
  }
  return { own, foreign }
}

function isPinned(machine: Machine, occupant: Occupant, owner: QueueRecord): boolean {
  if (occupant.gpuMilli === 0) return false
  return !occupant.gang.preemptible || !isBorrowing(machine, occupant.user.parent, owner)
}
