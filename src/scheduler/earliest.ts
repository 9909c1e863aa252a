import type { TimeMs } from '../base/index.ts'
import { MINUTE_MS } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
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
export function nodeFreeAt(fleet: Fleet, node: number, gpus: number, now: TimeMs): TimeMs {
  const { capacity } = fleet
  if (capacity.closed[node] !== 0) return Number.POSITIVE_INFINITY
  let free = capacity.nodeFree[node]!
  if (free >= gpus) return now
  const count = fleet.tree.classes[fleet.tree.nodeClass[node]!]!.gpuCount
  if (gpus === count) return due(fleet.nodeEndsAt[node]!, now)
  const here = fleet.onNode[node]!.slice().sort((a, b) => a.endsAt - b.endsAt)
  for (const occupant of here) {
    if (occupant.footprint.milli < 1000) continue
    free += occupant.footprint.gpus[occupant.footprint.nodes.indexOf(node)]!.length
    if (free >= gpus) return due(occupant.endsAt, now)
  }
  return due(fleet.nodeEndsAt[node]!, now)
}

function due(endsAt: TimeMs, now: TimeMs): TimeMs {
  return Math.max(endsAt, now + MINUTE_MS)
}

class EarliestSearch {
  private readonly fleet: Fleet
  private readonly request: RequestClass
  private readonly option: ClassOption
  private readonly minDepth: number
  private readonly freeAt: Float64Array
  private readonly nodesNeeded: number

  constructor(fleet: Fleet, request: RequestClass, option: ClassOption, minDepth: number, now: TimeMs) {
    this.fleet = fleet
    this.request = request
    this.option = option
    this.minDepth = minDepth
    this.nodesNeeded = option.nodes + Math.sign(option.remainder)
    const { tree } = fleet
    this.freeAt = new Float64Array(tree.nodeCount)
    for (let n = 0; n < tree.nodeCount; n++) {
      this.freeAt[n] =
        tree.nodeClass[n] === option.nodeClass
          ? nodeFreeAt(fleet, n, option.gpusPerNode, now)
          : Number.POSITIVE_INFINITY
    }
  }

  find(): EarliestPlace | undefined {
    const { tree } = this.fleet
    if (this.minDepth > tree.leafDepth) return this.nodesNeeded === 1 ? this.oneNode() : undefined
    if (this.nodesNeeded === 1) return this.oneNode()
    let at = Number.POSITIVE_INFINITY
    for (let d = tree.depthStart[this.minDepth]!; d < tree.depthStart[this.minDepth + 1]!; d++)
      at = Math.min(at, this.fullAt(d, at))
    if (at === Number.POSITIVE_INFINITY) return undefined
    for (let depth = tree.leafDepth; depth >= this.minDepth; depth--) {
      for (let d = tree.depthStart[depth]!; d < tree.depthStart[depth + 1]!; d++) {
        if (this.fullAt(d, at) <= at) return { at, nodes: this.nodesIn(d, at), option: this.option }
      }
    }
    return undefined
  }

  private oneNode(): EarliestPlace | undefined {
    let best = -1
    for (let n = 0; n < this.freeAt.length; n++)
      if (this.freeAt[n]! < (best < 0 ? Number.POSITIVE_INFINITY : this.freeAt[best]!)) best = n
    return best < 0 ? undefined : { at: this.freeAt[best]!, nodes: [best], option: this.option }
  }

  /** When the domain holds the gang, or infinity if that is later than `bound` or never. */
  private fullAt(domain: number, bound: TimeMs): TimeMs {
    const { tree } = this.fleet
    const { segmentDepth } = this.request
    if (segmentDepth === undefined || segmentDepth <= tree.domainDepth[domain]!)
      return nth(this.times(domain, bound), this.nodesNeeded)
    const size = this.request.request.segment!.nodes
    const segments: number[] = []
    for (const part of this.segmentDomains(domain)) {
      const times = this.times(part, bound)
      for (let end = size; end <= times.length; end += size) segments.push(times[end - 1]!)
    }
    return nth(
      segments.sort((a, b) => a - b),
      this.nodesNeeded / size,
    )
  }

  /** The times up to `bound` at which nodes of the domain fall free, in order. */
  private times(domain: number, bound: TimeMs): number[] {
    const { tree } = this.fleet
    const times: number[] = []
    for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++) {
      const at = this.freeAt[n]!
      if (at <= bound && at < Number.POSITIVE_INFINITY) times.push(at)
    }
    return times.length < this.leastUseful() ? [] : times.sort((a, b) => a - b)
  }

  private leastUseful(): number {
    return this.request.request.segment?.nodes ?? this.nodesNeeded
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
    const { tree } = this.fleet
    const { segmentDepth } = this.request
    if (segmentDepth === undefined || segmentDepth <= tree.domainDepth[domain]!)
      return this.latest(domain, at).slice(0, this.nodesNeeded)
    const size = this.request.request.segment!.nodes
    const nodes: number[] = []
    for (const part of this.segmentDomains(domain)) {
      const here = this.latest(part, at)
      const count = Math.min(this.nodesNeeded - nodes.length, Math.floor(here.length / size) * size)
      nodes.push(...here.slice(0, count))
    }
    return nodes
  }

  private latest(domain: number, at: TimeMs): number[] {
    const { tree } = this.fleet
    const nodes: number[] = []
    for (let n = tree.firstNode[domain]!; n < tree.endNode[domain]!; n++)
      if (this.freeAt[n]! <= at) nodes.push(n)
    return nodes.sort((a, b) => this.freeAt[b]! - this.freeAt[a]! || a - b)
  }
}

function nth(sorted: readonly number[], n: number): TimeMs {
  return sorted[n - 1] ?? Number.POSITIVE_INFINITY
}
