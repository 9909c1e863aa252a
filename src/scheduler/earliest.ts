import type { TimeMs } from '../base/index.ts'
import { MINUTE_MS } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { Occupant } from './holding.ts'
import type { ClassOption, RequestClass } from './request-class.ts'

/** Where and when a blocked gang can start if everything ends when it is due. */
export interface EarliestPlace {
  readonly at: TimeMs
  readonly nodes: readonly number[]
  readonly option: ClassOption
}

/**
 * The earliest place for a gang that does not fit now, from the times at which nodes fall free; undefined when it
 * fits on no set of open nodes. What is overdue is taken to end in a minute.
 */
export function earliestPlace(
  fleet: Fleet,
  request: RequestClass,
  minDepth: number,
  now: TimeMs,
): EarliestPlace | undefined {
  let best: EarliestPlace | undefined
  for (const option of request.options) {
    const place = new EarliestSearch(fleet, request, option, minDepth, now).find()
    if (place && (!best || place.at < best.at)) best = place
  }
  return best
}

/** When `gpus` GPUs of a node will be free at once. */
function nodeFreeAt(fleet: Fleet, node: number, gpus: number, now: TimeMs): TimeMs {
  const { capacity, tree } = fleet
  if (capacity.closed[node] !== 0) return Number.POSITIVE_INFINITY
  let free = capacity.nodeFree[node]!
  if (free >= gpus) return now
  if (gpus > mostFree(fleet, node)) return Number.POSITIVE_INFINITY
  if (gpus < tree.descriptions[node]!.gpuCount) {
    const here = fleet.onNode[node]!.slice().sort((a, b) => a.endsAt - b.endsAt)
    for (const occupant of here) {
      free += wholeGpusOn(occupant, node)
      if (free >= gpus) return due(occupant.endsAt, now)
    }
  }
  return due(fleet.nodeEndsAt[node]!, now)
}

/** The most GPUs of a node that will be free at once by `at`. */
export function gpusFreeBy(fleet: Fleet, node: number, at: TimeMs, now: TimeMs): number {
  const { capacity } = fleet
  if (capacity.closed[node] !== 0) return 0
  if (due(fleet.nodeEndsAt[node]!, now) <= at) return mostFree(fleet, node)
  let free = capacity.nodeFree[node]!
  for (const occupant of fleet.onNode[node]!)
    if (due(occupant.endsAt, now) <= at) free += wholeGpusOn(occupant, node)
  return free
}

/** What others hold comes back at no time that is known here. */
function mostFree({ tree, foreign }: Fleet, node: number): number {
  const { gpuCount } = tree.descriptions[node]!
  return gpuCount - foreign.on(tree.nodeIds[node]!, gpuCount)
}

/** A GPU of which it has a part is free only when all who have parts of it have ended. */
function wholeGpusOn({ footprint }: Occupant, node: number): number {
  return footprint.milli < WHOLE_GPU ? 0 : footprint.gpus[footprint.nodes.indexOf(node)]!.length
}

function due(endsAt: TimeMs, now: TimeMs): TimeMs {
  return Math.max(endsAt, now + MINUTE_MS)
}

class EarliestSearch {
  private readonly fleet: Fleet
  private readonly request: RequestClass
  private readonly option: ClassOption
  private readonly minDepth: number
  private readonly nodesNeeded: number
  private readonly freeAt: Float64Array
  private readonly scratch: Float64Array

  constructor(fleet: Fleet, request: RequestClass, option: ClassOption, minDepth: number, now: TimeMs) {
    this.fleet = fleet
    this.request = request
    this.option = option
    this.minDepth = Math.min(minDepth, fleet.tree.leafDepth + 1)
    this.nodesNeeded = option.nodes + Math.sign(option.remainder)
    ;[this.freeAt, this.scratch] = fleet.scratch
    this.lookAtNodes(now)
  }

  /** Reads when each node is free; every blocked gang of every pass looks at all of them, so the loop is kept tight. */
  private lookAtNodes(now: TimeMs): void {
    const { fleet, freeAt } = this
    const { nodeClass, gpusPerNode } = this.option
    const { nodeEndsAt, tree } = fleet
    const { closed, nodeFree } = fleet.capacity
    const classOf = tree.nodeClass
    const soonest = now + MINUTE_MS
    const isWhole = gpusPerNode >= tree.classes[nodeClass]!.gpuCount
    for (let n = 0; n < freeAt.length; n++) {
      if (classOf[n] !== nodeClass || closed[n] !== 0) freeAt[n] = Number.POSITIVE_INFINITY
      else if (nodeFree[n]! >= gpusPerNode) freeAt[n] = now
      else if (isWhole) freeAt[n] = Math.max(nodeEndsAt[n]!, soonest)
      else freeAt[n] = nodeFreeAt(fleet, n, gpusPerNode, now)
    }
  }

  find(): EarliestPlace | undefined {
    const { tree } = this.fleet
    if (this.nodesNeeded === 1) return this.oneNode()
    if (this.minDepth > tree.leafDepth) return undefined
    let at = Number.POSITIVE_INFINITY
    let widest = -1
    for (let d = tree.depthStart[this.minDepth]!; d < tree.depthStart[this.minDepth + 1]!; d++) {
      const full = this.fullAt(d, at)
      if (full >= at) continue
      at = full
      widest = d
    }
    if (widest < 0) return undefined
    for (let depth = tree.leafDepth; depth > this.minDepth; depth--) {
      for (let d = tree.depthStart[depth]!; d < tree.depthStart[depth + 1]!; d++)
        if (this.isLargeEnough(d) && this.holdsAt(d, at))
          return { at, nodes: this.nodesIn(d, at), option: this.option }
    }
    return { at, nodes: this.nodesIn(widest, at), option: this.option }
  }

  private oneNode(): EarliestPlace | undefined {
    let best = -1
    let bestAt = Number.POSITIVE_INFINITY
    for (let n = 0; n < this.freeAt.length; n++) {
      if (this.freeAt[n]! >= bestAt) continue
      best = n
      bestAt = this.freeAt[n]!
    }
    return best < 0 ? undefined : { at: bestAt, nodes: [best], option: this.option }
  }

  /** When the domain holds the gang, or infinity if that is later than `bound` or never. */
  private fullAt(domain: number, bound: TimeMs): TimeMs {
    if (!this.isLargeEnough(domain)) return Number.POSITIVE_INFINITY
    if (!this.isCutIn(domain)) {
      const count = this.gather(domain, bound)
      return count < this.nodesNeeded
        ? Number.POSITIVE_INFINITY
        : nthSmallest(this.scratch, count, this.nodesNeeded)
    }
    const size = this.request.request.segment!.nodes
    const segments: number[] = []
    for (const part of this.segmentDomains(domain)) {
      const count = this.gather(part, bound)
      const times = this.scratch.subarray(0, count).sort()
      for (let end = size; end <= count; end += size) segments.push(times[end - 1]!)
    }
    segments.sort((a, b) => a - b)
    return segments[this.nodesNeeded / size - 1] ?? Number.POSITIVE_INFINITY
  }

  private holdsAt(domain: number, at: TimeMs): boolean {
    if (!this.isCutIn(domain)) return this.gather(domain, at) >= this.nodesNeeded
    const size = this.request.request.segment!.nodes
    let segments = 0
    for (const part of this.segmentDomains(domain)) segments += Math.floor(this.gather(part, at) / size)
    return segments * size >= this.nodesNeeded
  }

  private isLargeEnough(domain: number): boolean {
    const { firstNode, endNode } = this.fleet.tree
    return endNode[domain]! - firstNode[domain]! >= this.nodesNeeded
  }

  private isCutIn(domain: number): boolean {
    const { segmentDepth } = this.request
    return segmentDepth !== undefined && segmentDepth > this.fleet.tree.domainDepth[domain]!
  }

  /** Writes the times up to `bound` at which nodes of the domain fall free to `scratch`; returns how many. */
  private gather(domain: number, bound: TimeMs): number {
    const { tree } = this.fleet
    const { freeAt, scratch } = this
    const end = tree.endNode[domain]!
    const last = Math.min(bound, Number.MAX_VALUE)
    let count = 0
    for (let n = tree.firstNode[domain]!; n < end; n++) {
      const at = freeAt[n]!
      if (at <= last) scratch[count++] = at
    }
    return count
  }

  private segmentDomains(domain: number): number[] {
    const { tree } = this.fleet
    const depth = this.request.segmentDepth!
    const parts: number[] = []
    for (let d = tree.depthStart[depth]!; d < tree.depthStart[depth + 1]!; d++)
      if (tree.firstNode[d]! >= tree.firstNode[domain]! && tree.endNode[d]! <= tree.endNode[domain]!)
        parts.push(d)
    return parts
  }

  /** Those that fall free last, so that what is free now stays usable until then. */
  private nodesIn(domain: number, at: TimeMs): number[] {
    if (!this.isCutIn(domain)) return this.latest(domain, at, this.nodesNeeded)
    const size = this.request.request.segment!.nodes
    const nodes: number[] = []
    for (const part of this.segmentDomains(domain)) {
      const here = Math.floor(this.gather(part, at) / size) * size
      const count = Math.min(this.nodesNeeded - nodes.length, here)
      if (count > 0) nodes.push(...this.latest(part, at, count))
    }
    return nodes
  }

  /** The last `wanted` of the nodes that are free by then, of equals the first ones. */
  private latest(domain: number, at: TimeMs, wanted: number): number[] {
    const { tree } = this.fleet
    const { freeAt, scratch } = this
    const count = this.gather(domain, at)
    const from = nthSmallest(scratch, count, count - wanted + 1)
    let ties = wanted
    for (let i = 0; i < count; i++) if (scratch[i]! > from) ties--
    const nodes: number[] = []
    const end = tree.endNode[domain]!
    for (let n = tree.firstNode[domain]!; nodes.length < wanted && n < end; n++) {
      const time = freeAt[n]!
      if (time > from ? time <= at : time === from && ties-- > 0) nodes.push(n)
    }
    return nodes
  }
}

/** The n-th smallest of the first `count` numbers, which it reorders (Hoare's selection). */
function nthSmallest(values: Float64Array, count: number, n: number): number {
  let low = 0
  let high = count - 1
  const target = n - 1
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!
    let i = low
    let j = high
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const swap = values[i]!
      values[i++] = values[j]!
      values[j--] = swap
    }
    if (target <= j) high = j
    else if (target >= i) low = i
    else break
  }
  return values[target]!
}
