import type { TimeMs } from '../base/index.ts'
import { compareIds } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
import type { Occupant } from './holding.ts'
import { isOneNode } from './placement.ts'
import type { ClassOption, RequestClass } from './request-class.ts'
import { domainAround } from './tree.ts'

/** A gang that may be evicted for another, with what that would lose. */
export interface Candidate {
  readonly occupant: Occupant
  /** What its eviction costs: GPU-milliseconds of work since its last checkpoint, or an order's own measure. */
  readonly loss: number
}

/** Gangs whose end would make room in one domain. */
export interface VictimSet {
  readonly victims: readonly Candidate[]
  readonly loss: number
  readonly domain: number
  readonly option: ClassOption
}

/** GPU-milliseconds that would have to be run again if the occupant were ended now. */
export function lossOf(occupant: Occupant, now: TimeMs): number {
  const since = Math.max(occupant.startedAt, occupant.checkpointAt ?? occupant.startedAt)
  return (occupant.gpuMilli / 1000) * Math.max(0, now - since)
}

/** At most this many domains are offered, the cheapest first. */
const OFFERED = 4

/**
 * Sets of candidates whose end would let the gang fit into one domain, cheapest first. They are estimates that a
 * transaction has to prove: CPU, memory and segments are not looked at here.
 */
export function victimSets(
  fleet: Fleet,
  request: RequestClass,
  candidates: readonly Candidate[],
  minDepth: number,
): VictimSet[] {
  const sets: VictimSet[] = []
  for (const option of request.options) {
    const nodes = freeableNodes(fleet, option, candidates)
    if (isOneNode(option)) sets.push(...oneNodeSets(fleet, option, nodes))
    else sets.push(...gangSets(fleet, option, nodes, minDepth))
  }
  return sets.sort((a, b) => a.loss - b.loss || a.domain - b.domain).slice(0, OFFERED)
}

/** A node that would have enough free GPUs once its candidates were gone. */
interface FreeableNode {
  readonly node: number
  readonly victims: readonly Candidate[]
}

function freeableNodes(fleet: Fleet, option: ClassOption, candidates: readonly Candidate[]): FreeableNode[] {
  const { tree, capacity } = fleet
  const byNode = new Map<number, Candidate[]>()
  for (const candidate of candidates) {
    for (const node of candidate.occupant.footprint.nodes) {
      if (tree.nodeClass[node] !== option.nodeClass || capacity.closed[node] !== 0) continue
      const here = byNode.get(node)
      if (here) here.push(candidate)
      else byNode.set(node, [candidate])
    }
  }
  const neededMilli = option.milli < 1000 ? option.milli : option.gpusPerNode * 1000
  const freeable: FreeableNode[] = []
  for (const [node, here] of byNode) {
    const victims = cheapestOn(fleet, node, here, neededMilli)
    if (victims) freeable.push({ node, victims })
  }
  return freeable.sort((a, b) => a.node - b.node)
}

/** The cheapest candidates, by loss per GPU, that together with what is free give the node enough. */
function cheapestOn(
  fleet: Fleet,
  node: number,
  candidates: readonly Candidate[],
  neededMilli: number,
): readonly Candidate[] | undefined {
  const given = (candidate: Candidate) => {
    const { footprint } = candidate.occupant
    return footprint.gpus[footprint.nodes.indexOf(node)]!.length * footprint.milli
  }
  const whole = neededMilli >= 1000
  let free = whole ? fleet.capacity.nodeFree[node]! * 1000 : 0
  const sorted = [...candidates].sort(
    (a, b) =>
      a.loss / given(a) - b.loss / given(b) || compareIds(a.occupant.gang.workload, b.occupant.gang.workload),
  )
  const chosen: Candidate[] = []
  for (const candidate of sorted) {
    if (free >= neededMilli) break
    chosen.push(candidate)
    free += given(candidate)
  }
  if (free < neededMilli) return undefined
  for (const candidate of [...chosen].reverse()) {
    if (free - given(candidate) < neededMilli) continue
    free -= given(candidate)
    chosen.splice(chosen.indexOf(candidate), 1)
  }
  return chosen
}

function oneNodeSets(fleet: Fleet, option: ClassOption, nodes: readonly FreeableNode[]): VictimSet[] {
  return nodes.map(({ node, victims }) => ({
    victims,
    loss: sum(victims),
    domain: fleet.tree.nodeDomain[node]!,
    option,
  }))
}

function gangSets(
  fleet: Fleet,
  option: ClassOption,
  nodes: readonly FreeableNode[],
  minDepth: number,
): VictimSet[] {
  const { tree, capacity } = fleet
  const needed = option.nodes + Math.sign(option.remainder)
  const sets: VictimSet[] = []
  for (let depth = tree.leafDepth; depth >= minDepth; depth--) {
    const byDomain = new Map<number, FreeableNode[]>()
    for (const freeable of nodes) {
      const domain = domainAround(tree, freeable.node, depth)
      const here = byDomain.get(domain)
      if (here) here.push(freeable)
      else byDomain.set(domain, [freeable])
    }
    for (const [domain, here] of byDomain) {
      // Nodes that are freeable and already free enough do not occur: they need no victims.
      const missing = needed - capacity.nodesWith(option.nodeClass, domain, option.gpusPerNode)
      if (missing <= 0 || here.length < missing) continue
      const victims = cheapestFor(here, missing)
      sets.push({ victims, loss: sum(victims), domain, option })
    }
  }
  return sets
}

/**
 * Victims that free `missing` of these nodes: nodes by what each costs, where a gang's loss is spread over its nodes
 * here, since a gang is evicted whole and its other nodes come for nothing.
 */
function cheapestFor(nodes: readonly FreeableNode[], missing: number): Candidate[] {
  const nodesOf = new Map<Candidate, FreeableNode[]>()
  for (const freeable of nodes) {
    for (const victim of freeable.victims) {
      const its = nodesOf.get(victim)
      if (its) its.push(freeable)
      else nodesOf.set(victim, [freeable])
    }
  }
  const costs = new Map<FreeableNode, number>()
  for (const freeable of nodes) {
    let cost = 0
    for (const victim of freeable.victims) cost += victim.loss / nodesOf.get(victim)!.length
    costs.set(freeable, cost)
  }
  const sorted = [...nodes].sort((a, b) => costs.get(a)! - costs.get(b)! || a.node - b.node)
  const chosen = new Set<Candidate>()
  const waitsFor = new Map(nodes.map((freeable) => [freeable, freeable.victims.length]))
  let freed = 0
  for (const { victims } of sorted) {
    if (freed >= missing) break
    for (const victim of victims) {
      if (chosen.has(victim)) continue
      chosen.add(victim)
      for (const freeable of nodesOf.get(victim)!) {
        const left = waitsFor.get(freeable)! - 1
        waitsFor.set(freeable, left)
        if (left === 0) freed++
      }
    }
  }
  // A gang that was taken in early may have become needless; the dearest leave first.
  for (const victim of [...chosen].sort((a, b) => b.loss - a.loss)) {
    const its = nodesOf.get(victim)!
    const lost = its.filter((freeable) => waitsFor.get(freeable) === 0).length
    if (freed - lost < missing) continue
    chosen.delete(victim)
    freed -= lost
    for (const freeable of its) waitsFor.set(freeable, waitsFor.get(freeable)! + 1)
  }
  return [...chosen]
}

function sum(victims: readonly Candidate[]): number {
  return victims.reduce((total, victim) => total + victim.loss, 0)
}
