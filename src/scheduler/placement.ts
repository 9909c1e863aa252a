import type { Capacity } from './capacity.ts'
import type { Footprint } from './footprint.ts'
import { WHOLE_GPU } from './footprint.ts'
import { placeOnNode } from './node-placement.ts'
import type { ClassOption, RequestClass } from './request-class.ts'

/**
 * The best place for a request in what is free now, or undefined when there is none: the smallest domain that holds
 * it whole, best fit among domains of that size, tightest children first inside it. `minDepth` bounds the domain
 * from above: 0 allows the whole machine. Takes nothing.
 */
export function place(capacity: Capacity, request: RequestClass, minDepth: number): Footprint | undefined {
  if (request.impossible !== undefined) return undefined
  if (!isPlacedByCount(request)) return placeOnNode(capacity, request)
  const chosen = chooseNodes(capacity, request, minDepth)
  return chosen && footprintOn(request, chosen, (node, count) => capacity.freeGpus(node, count))
}

/** Nodes that are chosen for a gang, before it is said which of their GPUs it takes. */
export interface ChosenNodes {
  readonly option: ClassOption
  readonly nodes: readonly number[]
}

/** Whether the nodes are chosen by how many GPUs are wholly free on them, not by which. */
export function isPlacedByCount({ request, options }: RequestClass): boolean {
  const { cpuMilli = 0, memoryMib = 0 } = request
  const first = options[0]!
  return first.milli === WHOLE_GPU && (cpuMilli + memoryMib === 0 || !isOneNode(first))
}

/** The nodes that `place` takes for a request that is placed by count. */
export function chooseNodes(
  capacity: Capacity,
  request: RequestClass,
  minDepth: number,
): ChosenNodes | undefined {
  for (const option of request.options) {
    const nodes = isOneNode(option)
      ? tightestNode(capacity, option.nodeClass, option.gpusPerNode)
      : new GangPlacement(capacity, option, request, minDepth).nodes()
    if (nodes) return { option, nodes }
  }
  return undefined
}

export function isOneNode(option: ClassOption): boolean {
  return option.nodes + Math.sign(option.remainder) === 1
}

/** The chosen nodes with GPUs of theirs that are free. */
export function footprintOn(
  { request: { cpuMilli = 0, memoryMib = 0 } }: RequestClass,
  { option, nodes }: ChosenNodes,
  freeGpus: (node: number, count: number) => readonly number[],
): Footprint {
  const gpus = nodes.map((node, p) =>
    freeGpus(node, p < option.nodes ? option.gpusPerNode : option.remainder),
  )
  return { nodes, gpus, milli: WHOLE_GPU, cpuMilli, memoryMib }
}

/**
 * The open node of the class with the fewest free GPUs that still suffice; among those one in the domains with the
 * fewest whole nodes left, so that what is whole stays whole.
 */
function tightestNode(capacity: Capacity, nodeClass: number, gpus: number): number[] | undefined {
  const { tree, buckets } = capacity
  const whole = tree.classes[nodeClass]!.gpuCount
  const root = capacity.bucket(nodeClass, 0)
  let free = gpus
  while (free <= whole && buckets[root + free] === 0) free++
  if (free > whole) return undefined
  let domain = 0
  while (tree.domainDepth[domain]! < tree.leafDepth) {
    let best = -1
    let fewest = Number.POSITIVE_INFINITY
    for (let child = tree.firstChild[domain]!; child < tree.endChild[domain]!; child++) {
      const at = capacity.bucket(nodeClass, child)
      if (buckets[at + free]! > 0 && buckets[at + whole]! < fewest) {
        fewest = buckets[at + whole]!
        best = child
      }
    }
    domain = best
  }
  for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) {
    if (capacity.nodeFree[n] === free && capacity.closed[n] === 0 && tree.nodeClass[n] === nodeClass)
      return [n]
  }
  return undefined
}

/** One search for the nodes of a gang that needs more than one. */
class GangPlacement {
  private readonly capacity: Capacity
  private readonly option: ClassOption
  private readonly request: RequestClass
  private readonly minDepth: number
  private readonly chosen: number[] = []

  constructor(capacity: Capacity, option: ClassOption, request: RequestClass, minDepth: number) {
    this.capacity = capacity
    this.option = option
    this.request = request
    this.minDepth = minDepth
  }

  nodes(): number[] | undefined {
    const { tree } = this.capacity
    for (let depth = tree.leafDepth; depth >= this.minDepth; depth--) {
      const fitting: { domain: number; spare: number }[] = []
      const end = tree.depthStart[depth + 1]!
      let best = -1
      let least = Number.POSITIVE_INFINITY
      for (let domain = tree.depthStart[depth]!; domain < end; domain++) {
        const spare = spareNodes(this.capacity, this.option, this.request, domain)
        if (spare < 0) continue
        if (this.countsPerNode()) fitting.push({ domain, spare })
        if (spare < least) {
          least = spare
          best = domain
        }
      }
      if (best < 0) continue
      if (this.collect(best)) return this.chosen
      // Only CPU or memory can make a domain fail that has the GPUs; then the next best is tried.
      fitting.sort((a, b) => a.spare - b.spare || a.domain - b.domain)
      for (const { domain } of fitting) if (this.collect(domain)) return this.chosen
    }
    return undefined
  }

  private countsPerNode(): boolean {
    const { cpuMilli = 0, memoryMib = 0 } = this.request.request
    return cpuMilli > 0 || memoryMib > 0
  }

  private collect(domain: number): boolean {
    this.chosen.length = 0
    const { segmentDepth, request } = this.request
    const { option, capacity } = this
    if (segmentDepth !== undefined && segmentDepth > capacity.tree.domainDepth[domain]!) {
      this.pickSegments(domain, request.segment!.nodes)
    } else {
      this.pick(domain, option.nodes)
    }
    if (this.chosen.length < option.nodes) return false
    return option.remainder === 0 || this.pickRemainder(domain)
  }

  /** Adds `count` nodes of the domain: a child that holds all of them if there is one, else the fullest children first. */
  private pick(domain: number, count: number): void {
    const { capacity, option } = this
    const { tree } = capacity
    if (tree.domainDepth[domain] === tree.leafDepth) {
      this.pickNodes(domain, count)
      return
    }
    const used = new Set<number>()
    let left = count
    while (left > 0) {
      let best = -1
      let bestFree = 0
      for (let child = tree.firstChild[domain]!; child < tree.endChild[domain]!; child++) {
        if (used.has(child)) continue
        const free = capacity.nodesWith(option.nodeClass, child, option.gpusPerNode)
        if (free === 0) continue
        const better = bestFree >= left ? free >= left && free < bestFree : free > bestFree
        if (better) {
          best = child
          bestFree = free
        }
      }
      if (best < 0) return
      used.add(best)
      const before = this.chosen.length
      this.pick(best, Math.min(left, bestFree))
      left -= this.chosen.length - before
    }
  }

  private pickNodes(domain: number, count: number): void {
    const { capacity, option } = this
    const { tree } = capacity
    const most = tree.classes[option.nodeClass]!.gpuCount
    let left = count
    for (let free = option.gpusPerNode; free <= most && left > 0; free++) {
      if (capacity.buckets[capacity.bucket(option.nodeClass, domain) + free] === 0) continue
      for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]! && left > 0; n++) {
        if (capacity.nodeFree[n] !== free || !this.suits(n)) continue
        this.chosen.push(n)
        left--
      }
    }
  }

  private suits(node: number): boolean {
    const { capacity, option } = this
    if (capacity.closed[node] !== 0 || capacity.tree.nodeClass[node] !== option.nodeClass) return false
    const { cpuMilli = 0, memoryMib = 0 } = this.request.request
    return capacity.cpuFree[node]! >= cpuMilli && capacity.memoryFree[node]! >= memoryMib
  }

  /** Cuts the gang into segments, each inside one domain; domains that hold most segments go first. */
  private pickSegments(domain: number, size: number): void {
    const { capacity, option, request } = this
    const { tree } = capacity
    const holding: { domain: number; segments: number }[] = []
    for (
      let d = tree.depthStart[request.segmentDepth!]!;
      d < tree.depthStart[request.segmentDepth! + 1]!;
      d++
    ) {
      if (tree.firstNode[d]! < tree.firstNode[domain]! || tree.endNode[d]! > tree.endNode[domain]!) continue
      const segments = Math.floor(capacity.nodesWith(option.nodeClass, d, option.gpusPerNode) / size)
      if (segments > 0) holding.push({ domain: d, segments })
    }
    holding.sort((a, b) => b.segments - a.segments || a.domain - b.domain)
    let left = option.nodes / size
    while (left > 0 && holding.length > 0) {
      // The last ones go where they fit best.
      let at = 0
      while (at + 1 < holding.length && holding[at + 1]!.segments >= left) at++
      const [next] = holding.splice(at, 1)
      const segments = Math.min(left, next!.segments)
      this.pick(next!.domain, segments * size)
      left -= segments
    }
  }

  private pickRemainder(domain: number): boolean {
    const { capacity, option } = this
    const { tree } = capacity
    const taken = new Set(this.chosen)
    let best = -1
    for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) {
      const free = capacity.nodeFree[n]!
      if (free < option.remainder || taken.has(n) || !this.suits(n)) continue
      if (best < 0 || free < capacity.nodeFree[best]!) best = n
    }
    if (best < 0) return false
    this.chosen.push(best)
    return true
  }
}

/** Nodes the domain has beyond what the gang needs, or negative when it cannot hold the gang. */
function spareNodes(capacity: Capacity, option: ClassOption, request: RequestClass, domain: number): number {
  const { tree } = capacity
  const free = capacity.nodesWith(option.nodeClass, domain, option.gpusPerNode)
  if (free < option.nodes) return -1
  if (option.remainder > 0 && capacity.nodesWith(option.nodeClass, domain, option.remainder) <= option.nodes)
    return -1
  const { segmentDepth } = request
  if (segmentDepth !== undefined && segmentDepth > tree.domainDepth[domain]!) {
    const size = request.request.segment!.nodes
    let segments = 0
    for (let d = tree.depthStart[segmentDepth]!; d < tree.depthStart[segmentDepth + 1]!; d++) {
      if (tree.firstNode[d]! < tree.firstNode[domain]! || tree.endNode[d]! > tree.endNode[domain]!) continue
      segments += Math.floor(capacity.nodesWith(option.nodeClass, d, option.gpusPerNode) / size)
    }
    if (segments * size < option.nodes) return -1
  }
  return free - option.nodes
}
