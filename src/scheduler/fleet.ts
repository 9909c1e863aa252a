import type { NodeId } from '../base/index.ts'
import { assert } from '../base/index.ts'
import type { NodeDescription, NodeState } from '../model/index.ts'
import { Capacity } from './capacity.ts'
import type { Footprint } from './footprint.ts'
import { asItStands, WHOLE_GPU } from './footprint.ts'
import { ForeignUse } from './foreign-use.ts'
import type { QueuedGang } from './gang.ts'
import type { Occupant, UserRecord } from './holding.ts'
import type { QueueTree } from './queue-tree.ts'
import type { RequestClass } from './request-class.ts'
import { compileRequest, requestKey } from './request-class.ts'
import { RequestMix } from './request-mix.ts'
import { buildTree, type TopologyTree } from './tree.ts'

interface FleetNode {
  readonly description: NodeDescription
  readonly state: NodeState
}

/** Nodes and what is on them: the tree, the free capacity, and who holds what. Every change has an exact inverse. */
export class Fleet {
  levels: readonly string[]
  readonly nodes = new Map<NodeId, FleetNode>()
  readonly draining = new Set<NodeId>()
  private readonly queues: QueueTree
  private built: { tree: TopologyTree; capacity: Capacity } | undefined
  /** Occupants of each node, by node index. */
  onNode: Occupant[][] = []
  /** The latest end of what is on a node; negative infinity when it is empty. */
  nodeEndsAt = new Float64Array(0)
  /** Space by node index for one search at a time. */
  scratch: readonly [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)]
  readonly occupants = new Set<Occupant>()
  private compiled = new Map<string, RequestClass>()
  /** Thousandths of GPUs on nodes that are not down, by model index of the queue tree. */
  capacityMilli: number[] = []
  totalMilli = 0
  /** Counts every occupation and its end. */
  changes = 0
  readonly mix: RequestMix
  readonly foreign = new ForeignUse()

  constructor(levels: readonly string[], queues: QueueTree, mix = new RequestMix()) {
    this.mix = mix
    this.levels = levels
    this.queues = queues
  }

  get tree(): TopologyTree {
    return this.ready().tree
  }

  get capacity(): Capacity {
    return this.ready().capacity
  }

  /** Numbers the nodes if they have changed; what stands by node index holds only after it. */
  prepare(): void {
    this.ready()
  }

  setNode(description: NodeDescription, state: NodeState): void {
    const before = this.nodes.get(description.id)
    this.nodes.set(description.id, { description, state })
    if (state === 'draining') this.draining.add(description.id)
    else this.draining.delete(description.id)
    if (!before || !this.built || !sameDescription(before.description, description)) {
      this.invalidate()
      return
    }
    if (before.state === state) return
    const node = this.built.tree.nodeIndex.get(description.id)!
    if (before.state === 'ready') this.built.capacity.close(node)
    if (state === 'ready') this.built.capacity.open(node)
    if (before.state === 'down') this.countCapacity(description, 1)
    if (state === 'down') this.countCapacity(description, -1)
  }

  removeNode(id: NodeId): void {
    if (!this.nodes.has(id)) return
    const node = this.built?.tree.nodeIndex.get(id)
    if (node !== undefined) {
      const holder = this.onNode[node]!.find((occupant) => occupant.attempt !== undefined)
      assert(!holder, `node ${id} is removed while attempt ${holder?.attempt} holds GPUs on it`)
    }
    this.invalidate()
    this.nodes.delete(id)
    this.draining.delete(id)
    this.foreign.remove(id)
  }

  /** What others than Banyan hold on a node, which is taken from its capacity and from what is on record there. */
  setForeign(id: NodeId, gpus: readonly number[]): void {
    const { tree, capacity } = this.ready()
    const n = tree.nodeIndex.get(id)
    const here = n === undefined ? [] : this.onNode[n]!
    for (const occupant of here) capacity.free(occupant.footprint)
    this.foreign.set(capacity, id, gpus)
    for (const occupant of here) {
      occupant.footprint = asItStands(occupant.footprint, this.isThere)
      capacity.take(occupant.footprint)
    }
  }

  /** Whether the node has the GPU, and no others than Banyan hold it. */
  readonly isThere = (node: number, gpu: number): boolean => {
    const { descriptions, nodeIds } = this.tree
    return gpu < descriptions[node]!.gpuCount && !this.foreign.has(nodeIds[node]!, gpu)
  }

  /** The node goes on under another name, with everything on it. */
  renameNode(from: NodeId, to: NodeId): void {
    const node = this.nodes.get(from)
    assert(node && !this.nodes.has(to), `node ${from} cannot be renamed to ${to}`)
    const index = this.tree.nodeIndex.get(from)!
    this.renamed.set(this.tree.nodeIds[index]!, to)
    this.invalidate()
    this.nodes.delete(from)
    if (this.draining.delete(from)) this.draining.add(to)
    this.nodes.set(to, { ...node, description: { ...node.description, id: to } })
    this.foreign.rename(from, to)
  }
  private readonly renamed = new Map<NodeId, NodeId>()

  compile(key: string, request: QueuedGang['request']): RequestClass {
    const { tree } = this
    let compiled = this.compiled.get(key)
    if (!compiled) {
      compiled = compileRequest(tree, key, this.compiled.size, request)
      this.compiled.set(key, compiled)
    }
    return compiled
  }

  classOf(request: QueuedGang['request']): RequestClass {
    return this.compile(requestKey(request), request)
  }

  /** The class with these of its options alone, in their order. */
  withOptions(request: RequestClass, options: RequestClass['options']): RequestClass {
    if (options.length === request.options.length) return request
    const key = `${request.key}|o${options.map(({ nodeClass }) => nodeClass).join()}`
    const known = this.compiled.get(key)
    if (known) return known
    const narrowed = { ...request, key, index: this.compiled.size, options }
    this.compiled.set(key, narrowed)
    return narrowed
  }

  /** Takes the occupant's footprint and counts it for its queue. */
  occupy(occupant: Occupant): void {
    this.capacity.take(occupant.footprint)
    this.changes++
    this.occupants.add(occupant)
    if (occupant.attempt !== undefined) enlist(occupant)
    for (const n of occupant.footprint.nodes) {
      this.onNode[n]!.push(occupant)
      if (occupant.endsAt > this.nodeEndsAt[n]!) this.nodeEndsAt[n] = occupant.endsAt
    }
    this.queues.hold(occupant.user, occupant.model, occupant.gpuMilli, occupant.startedAt)
  }

  /** The inverse of `occupy`. */
  vacate(occupant: Occupant): void {
    this.capacity.free(occupant.footprint)
    this.changes++
    this.occupants.delete(occupant)
    if (occupant.attempt !== undefined)
      occupant.user.parent.live.get(occupant.gang.priority)!.delete(occupant)
    for (const n of occupant.footprint.nodes) {
      const here = this.onNode[n]!
      // Rollbacks undo the newest first, so it is found at once from the end.
      if (here[here.length - 1] === occupant) here.pop()
      else here.splice(here.lastIndexOf(occupant), 1)
      if (occupant.endsAt >= this.nodeEndsAt[n]!) {
        let latest = Number.NEGATIVE_INFINITY
        for (const other of here) if (other.endsAt > latest) latest = other.endsAt
        this.nodeEndsAt[n] = latest
      }
    }
    this.queues.hold(occupant.user, occupant.model, -occupant.gpuMilli, occupant.startedAt)
  }

  modelOf(footprint: Footprint): number {
    return this.modelOn(this.tree, footprint)
  }

  private modelOn({ descriptions }: TopologyTree, { nodes: [node] }: Footprint): number {
    return node === undefined ? 0 : this.queues.modelIndex(descriptions[node]!.gpuModel)
  }

  /** What it holds counts as use of the GPUs that are there now, as it would for who learns of both only now (S6). */
  private countAs(occupant: Occupant, model: number): void {
    if (model === occupant.model) return
    const { user, gpuMilli, startedAt } = occupant
    this.queues.hold(user, occupant.model, -gpuMilli, startedAt)
    this.queues.hold(user, model, gpuMilli, startedAt)
    occupant.model = model
  }

  /** A copy that shares the tree; `remap` gives the copy of each user record. */
  copyInto(fleet: Fleet, remap: (user: UserRecord) => UserRecord): Map<Occupant, Occupant> {
    const { tree, capacity } = this.ready()
    for (const [id, node] of this.nodes) fleet.nodes.set(id, node)
    for (const id of this.draining) fleet.draining.add(id)
    fleet.built = { tree, capacity: capacity.clone(fleet.mix) }
    fleet.nodeEndsAt = this.nodeEndsAt.slice()
    fleet.scratch = [new Float64Array(tree.nodeCount), new Float64Array(tree.nodeCount)]
    fleet.compiled = this.compiled
    fleet.capacityMilli = [...this.capacityMilli]
    fleet.totalMilli = this.totalMilli
    this.foreign.copyInto(fleet.foreign)
    const copies = new Map<Occupant, Occupant>()
    for (const occupant of this.occupants) {
      const copy = { ...occupant, user: remap(occupant.user) }
      copies.set(occupant, copy)
      fleet.occupants.add(copy)
      if (copy.attempt !== undefined) enlist(copy)
    }
    fleet.onNode = this.onNode.map((here) => here.map((occupant) => copies.get(occupant)!))
    return copies
  }

  private invalidate(): void {
    if (!this.built) return
    // Footprints go back to names until the next tree numbers the nodes again.
    const { tree } = this.built
    this.stale = [...this.occupants].map((occupant) => ({
      occupant,
      nodes: occupant.footprint.nodes.map((n) => tree.nodeIds[n]!),
    }))
    this.built = undefined
  }
  private stale: { occupant: Occupant; nodes: NodeId[] }[] = []

  private ready(): { tree: TopologyTree; capacity: Capacity } {
    if (this.built) return this.built
    const tree = buildTree(
      this.levels,
      [...this.nodes.values()].map((node) => node.description),
    )
    const capacity = new Capacity(tree, this.mix)
    this.built = { tree, capacity }
    this.compiled = new Map()
    this.onNode = Array.from({ length: tree.nodeCount }, () => [])
    this.nodeEndsAt = new Float64Array(tree.nodeCount).fill(Number.NEGATIVE_INFINITY)
    this.scratch = [new Float64Array(tree.nodeCount), new Float64Array(tree.nodeCount)]
    this.capacityMilli = []
    this.totalMilli = 0
    for (const { description, state } of this.nodes.values()) {
      if (state !== 'ready') capacity.close(tree.nodeIndex.get(description.id)!)
      if (state !== 'down') this.countCapacity(description, 1)
    }
    this.queues.domainMilli = smallestDomains(tree)
    this.foreign.takeAll(capacity)
    for (const { occupant, nodes } of this.stale) {
      const ids = nodes.map((id) => this.renamed.get(id) ?? id)
      const indices = ids.map((id) => tree.nodeIndex.get(id)!)
      occupant.footprint = asItStands({ ...occupant.footprint, nodes: indices }, this.isThere)
      capacity.take(occupant.footprint)
      this.countAs(occupant, this.modelOn(tree, occupant.footprint))
      for (const n of occupant.footprint.nodes) {
        this.onNode[n]!.push(occupant)
        this.nodeEndsAt[n] = Math.max(this.nodeEndsAt[n]!, occupant.endsAt)
      }
    }
    this.stale = []
    this.renamed.clear()
    return this.built
  }

  private countCapacity({ gpuModel, gpuCount }: NodeDescription, sign: 1 | -1): void {
    const m = this.queues.modelIndex(gpuModel)
    const milli = sign * gpuCount * WHOLE_GPU
    this.capacityMilli[m] = (this.capacityMilli[m] ?? 0) + milli
    this.totalMilli += milli
  }
}

function smallestDomains(tree: TopologyTree): Map<string, number> {
  const smallest = new Map<string, number>()
  for (let d = 1; d < tree.domainCount; d++) {
    const level = tree.levels[tree.domainDepth[d]! - 1]!
    const milli = (tree.gpuStart[tree.endNode[d]!]! - tree.gpuStart[tree.firstNode[d]!]!) * WHOLE_GPU
    smallest.set(level, Math.min(smallest.get(level) ?? Number.POSITIVE_INFINITY, milli))
  }
  return smallest
}

function enlist(occupant: Occupant): void {
  const { live } = occupant.user.parent
  const { priority } = occupant.gang
  const here = live.get(priority)
  if (here) here.add(occupant)
  else live.set(priority, new Set([occupant]))
}

function sameDescription(a: NodeDescription, b: NodeDescription): boolean {
  return (
    a.gpuModel === b.gpuModel &&
    a.gpuCount === b.gpuCount &&
    a.gpuMemoryBytes === b.gpuMemoryBytes &&
    a.cpuCount === b.cpuCount &&
    a.memoryBytes === b.memoryBytes &&
    a.domains.length === b.domains.length &&
    a.domains.every((name, i) => name === b.domains[i])
  )
}
