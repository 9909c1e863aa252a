import type { TimeMs } from '../base/index.ts'
import { compareIds } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
import { WHOLE_GPU } from './footprint.ts'
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

/** What one candidate holds of one node. */
interface Share {
  readonly candidate: Candidate
  /** The candidate's number among all of them. */
  readonly index: number
  readonly milli: number
}

/** Gangs that may be evicted, with what each of them would give on each node. */
export class Candidates {
  readonly list: readonly Candidate[]
  /** Thousandths of GPUs that they hold in all. */
  readonly gpuMilli: number
  private byNode: readonly NodeShares[] | undefined

  constructor(list: readonly Candidate[]) {
    this.list = list
    let gpuMilli = 0
    for (const { occupant } of list) gpuMilli += occupant.gpuMilli
    this.gpuMilli = gpuMilli
  }

  /** In the order of nodes; on each node what loses least per GPU first. */
  get shares(): readonly NodeShares[] {
    this.byNode ??= sharesByNode(this.list)
    return this.byNode
  }
}

interface NodeShares {
  readonly node: number
  readonly shares: Share[]
}

function sharesByNode(candidates: readonly Candidate[]): NodeShares[] {
  const byNode = new Map<number, NodeShares>()
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!
    const { nodes, gpus, milli } = candidate.occupant.footprint
    for (let p = 0; p < nodes.length; p++) {
      const node = nodes[p]!
      const share = { candidate, index, milli: gpus[p]!.length * milli }
      const here = byNode.get(node)
      if (here) here.shares.push(share)
      else byNode.set(node, { node, shares: [share] })
    }
  }
  const inOrder = [...byNode.values()].sort((a, b) => a.node - b.node)
  for (const { shares } of inOrder) if (shares.length > 1) shares.sort(cheapestPerGpu)
  return inOrder
}

function cheapestPerGpu(a: Share, b: Share): number {
  return (
    a.candidate.loss / Math.max(1, a.milli) - b.candidate.loss / Math.max(1, b.milli) ||
    compareIds(a.candidate.occupant.attempt!, b.candidate.occupant.attempt!)
  )
}

/** At most this many domains are offered, the cheapest first. */
const OFFERED = 4

/**
 * Sets of candidates whose end would let the gang fit into one domain, cheapest first, of those that lose no more than
 * `worth`. They are estimates that a transaction has to prove: CPU, memory and segments are not looked at here.
 */
export function victimSets(
  fleet: Fleet,
  request: RequestClass,
  candidates: Candidates,
  minDepth: number,
  worth = Number.POSITIVE_INFINITY,
): VictimSet[] {
  const offered: VictimSet[] = []
  for (const option of request.options) {
    const nodes = freeableNodes(fleet, option, candidates, worth)
    if (isOneNode(option)) offerNodes(offered, fleet, option, nodes, worth)
    else offerDomains(offered, fleet, option, nodes, candidates, minDepth, worth)
  }
  return offered
}

/** Keeps the set if it is among the cheapest so far; of equals the first. */
function offer(offered: VictimSet[], set: VictimSet): void {
  let at = offered.length
  while (at > 0 && isCheaper(set, offered[at - 1]!)) at--
  if (at >= OFFERED) return
  offered.splice(at, 0, set)
  if (offered.length > OFFERED) offered.pop()
}

function isCheaper(a: VictimSet, b: VictimSet): boolean {
  return a.loss < b.loss || (a.loss === b.loss && a.domain < b.domain)
}

/** A node that would have enough free GPUs once these were gone. */
interface FreeableNode {
  readonly node: number
  readonly victims: readonly Share[]
}

/** In the order of nodes. */
function freeableNodes(
  fleet: Fleet,
  option: ClassOption,
  candidates: Candidates,
  worth: number,
): FreeableNode[] {
  const { tree, capacity } = fleet
  const neededMilli = option.milli < WHOLE_GPU ? option.milli : option.gpusPerNode * WHOLE_GPU
  const freeable: FreeableNode[] = []
  for (const { node, shares } of candidates.shares) {
    if (tree.nodeClass[node] !== option.nodeClass || capacity.closed[node] !== 0) continue
    // What alone loses more is in no set that is worth it.
    const here = shares.every(({ candidate }) => candidate.loss <= worth)
      ? shares
      : shares.filter(({ candidate }) => candidate.loss <= worth)
    if (here.length === 0) continue
    const wholeFree = capacity.nodeFree[node]! * WHOLE_GPU
    const isShared = neededMilli < WHOLE_GPU || wholeFree !== capacity.milliFree[node]! || here.some(isPart)
    const victims = isShared
      ? cheapestByGpu(fleet, node, here, neededMilli)
      : cheapestOn(here, wholeFree, neededMilli)
    if (victims) freeable.push({ node, victims })
  }
  return freeable
}

/** The cheapest candidates, by loss per GPU, that together with what is free give the node enough. */
function cheapestOn(shares: readonly Share[], freeMilli: number, neededMilli: number): Share[] | undefined {
  let free = freeMilli
  let count = 0
  while (free < neededMilli && count < shares.length) free += shares[count++]!.milli
  if (free < neededMilli) return undefined
  const chosen = shares.slice(0, count)
  for (let i = count - 1; i >= 0; i--) {
    const { milli } = chosen[i]!
    if (free - milli < neededMilli) continue
    free -= milli
    chosen.splice(i, 1)
  }
  return chosen
}

function isPart({ candidate }: Share): boolean {
  return candidate.occupant.footprint.milli < WHOLE_GPU
}

/** The same where GPUs are shared: by what is free of each GPU when they have gone. */
function cheapestByGpu(
  { capacity, tree }: Fleet,
  node: number,
  shares: readonly Share[],
  neededMilli: number,
): Share[] | undefined {
  const free = [...capacity.gpuFree.subarray(tree.gpuStart[node]!, tree.gpuStart[node + 1]!)]
  const isEnough = () =>
    neededMilli < WHOLE_GPU
      ? free.some((milli) => milli >= neededMilli)
      : free.filter((milli) => milli >= WHOLE_GPU).length * WHOLE_GPU >= neededMilli
  const give = ({ candidate: { occupant } }: Share, sign: 1 | -1) => {
    const { nodes, gpus, milli } = occupant.footprint
    for (const gpu of gpus[nodes.indexOf(node)]!) free[gpu]! += sign * milli
  }
  const chosen: Share[] = []
  for (const share of shares) {
    if (isEnough()) break
    chosen.push(share)
    give(share, 1)
  }
  if (!isEnough()) return undefined
  for (const share of [...chosen].reverse()) {
    give(share, -1)
    if (isEnough()) chosen.splice(chosen.indexOf(share), 1)
    else give(share, 1)
  }
  return chosen
}

function offerNodes(
  offered: VictimSet[],
  fleet: Fleet,
  option: ClassOption,
  nodes: readonly FreeableNode[],
  worth: number,
): void {
  for (const freeable of nodes) {
    let loss = 0
    for (const { candidate } of freeable.victims) loss += candidate.loss
    if (loss > worth) continue
    const victims = freeable.victims.map(({ candidate }) => candidate)
    offer(offered, { victims, loss, domain: fleet.tree.nodeDomain[freeable.node]!, option })
  }
}

function offerDomains(
  offered: VictimSet[],
  fleet: Fleet,
  option: ClassOption,
  nodes: readonly FreeableNode[],
  candidates: Candidates,
  minDepth: number,
  worth: number,
): void {
  const { tree, capacity } = fleet
  const needed = option.nodes + Math.sign(option.remainder)
  for (let depth = tree.leafDepth; depth >= minDepth; depth--) {
    // Nodes of a domain stand together.
    for (let from = 0; from < nodes.length; ) {
      const domain = domainAround(tree, nodes[from]!.node, depth)
      let to = from + 1
      while (to < nodes.length && nodes[to]!.node < tree.endNode[domain]!) to++
      // Nodes that are freeable and already free enough do not occur: they need no victims.
      const missing = needed - capacity.nodesWith(option.nodeClass, domain, option.gpusPerNode)
      if (missing > 0 && to - from >= missing) {
        const victims = cheapestFor(nodes.slice(from, to), missing, candidates.list, worth)
        const loss = sum(victims)
        if (victims.length > 0 && loss <= worth) offer(offered, { victims, loss, domain, option })
      }
      from = to
    }
  }
}

/**
 * Victims that free `missing` of these nodes, none where they would lose more than `worth`: nodes by what each costs, where a gang's loss is spread over its nodes
 * here, since a gang is evicted whole and its other nodes come for nothing.
 */
function cheapestFor(
  nodes: readonly FreeableNode[],
  missing: number,
  candidates: readonly Candidate[],
  worth: number,
): Candidate[] {
  /** By candidate: which of the nodes wait for its end. */
  const nodesOf: number[][] = []
  nodes.forEach(({ victims }, n) => {
    for (const { index } of victims) {
      const its = nodesOf[index]
      if (its) its.push(n)
      else nodesOf[index] = [n]
    }
  })
  const costs = nodes.map(({ victims }) => {
    let cost = 0
    for (const { candidate, index } of victims) cost += candidate.loss / nodesOf[index]!.length
    return cost
  })
  const sorted = nodes.map((_, n) => n).sort((a, b) => costs[a]! - costs[b]! || a - b)
  // What the freed nodes cost is a part of what is lost, and these cost least.
  let least = 0
  for (let i = 0; i < missing; i++) least += costs[sorted[i]!]!
  // Sums in another order differ in their last digits.
  if (least * (1 - 1e-9) > worth) return []
  const chosen = new Set<number>()
  const waitsFor = nodes.map(({ victims }) => victims.length)
  let freed = 0
  for (const n of sorted) {
    if (freed >= missing) break
    for (const { index } of nodes[n]!.victims) {
      if (chosen.has(index)) continue
      chosen.add(index)
      for (const its of nodesOf[index]!) if (--waitsFor[its]! === 0) freed++
    }
  }
  // A gang that was taken in early may have become needless; the dearest leave first.
  const lossOfIndex = (index: number) => candidates[index]!.loss
  for (const index of [...chosen].sort((a, b) => lossOfIndex(b) - lossOfIndex(a))) {
    const its = nodesOf[index]!
    const lost = its.filter((n) => waitsFor[n] === 0).length
    if (freed - lost < missing) continue
    chosen.delete(index)
    freed -= lost
    for (const n of its) waitsFor[n]!++
  }
  return [...chosen].map((index) => candidates[index]!)
}

function sum(victims: readonly Candidate[]): number {
  return victims.reduce((total, victim) => total + victim.loss, 0)
}
