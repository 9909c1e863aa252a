import { broken } from '../base/index.ts'
import type { Footprint } from './footprint.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { RequestMix } from './request-mix.ts'
import type { TopologyTree } from './tree.ts'

/**
 * What is free, as typed arrays over the indices of one tree. Every change has an exact inverse, which is what
 * makes transactions cheap: nothing is copied, a rollback plays inverses backwards.
 */
export class Capacity {
  readonly tree: TopologyTree
  /** Free thousandths of each GPU. */
  readonly gpuFree: Uint16Array
  /** GPUs of each node of which nothing is taken. */
  readonly nodeFree: Int32Array
  /** Free thousandths of all GPUs of each node. */
  readonly milliFree: Int32Array
  /** Free thousandths of all GPUs of the open nodes of each class. */
  readonly openMilli: Float64Array
  /** How many reasons close a node for new work; 0 means open. */
  readonly closed: Int32Array
  readonly cpuFree: Float64Array
  readonly memoryFree: Float64Array
  /** Open nodes by class, domain and number of wholly free GPUs; see `bucket`. */
  readonly buckets: Int32Array
  private readonly classStart: Int32Array
  /** What is usually asked for, and so what of the free is of use. */
  readonly mix: RequestMix
  private readonly strandedAt: Float64Array
  /** Version of the mix for which `strandedAt` holds; -1 when the node has changed since. */
  private readonly strandedVersion: Int32Array

  constructor(tree: TopologyTree, mix: RequestMix, from?: Capacity) {
    this.tree = tree
    this.mix = mix
    this.strandedAt = new Float64Array(tree.nodeCount)
    this.strandedVersion = new Int32Array(tree.nodeCount).fill(-1)
    this.classStart = new Int32Array(tree.classes.length + 1)
    tree.classes.forEach((nodeClass, c) => {
      this.classStart[c + 1] = this.classStart[c]! + tree.domainCount * (nodeClass.gpuCount + 1)
    })
    if (from) {
      this.gpuFree = from.gpuFree.slice()
      this.nodeFree = from.nodeFree.slice()
      this.milliFree = from.milliFree.slice()
      this.openMilli = from.openMilli.slice()
      this.closed = from.closed.slice()
      this.cpuFree = from.cpuFree.slice()
      this.memoryFree = from.memoryFree.slice()
      this.buckets = from.buckets.slice()
      return
    }
    this.gpuFree = new Uint16Array(tree.gpuStart[tree.nodeCount]!).fill(WHOLE_GPU)
    this.nodeFree = Int32Array.from(tree.descriptions, (node) => node.gpuCount)
    this.milliFree = Int32Array.from(tree.descriptions, (node) => node.gpuCount * WHOLE_GPU)
    this.closed = new Int32Array(tree.nodeCount)
    this.cpuFree = Float64Array.from(tree.descriptions, (node) => node.cpuCount * 1000)
    this.memoryFree = Float64Array.from(tree.descriptions, (node) => node.memoryBytes / 2 ** 20)
    this.buckets = new Int32Array(this.classStart[tree.classes.length]!)
    this.openMilli = new Float64Array(tree.classes.length)
    for (let n = 0; n < tree.nodeCount; n++) this.count(n, this.nodeFree[n]!, 1)
  }

  clone(mix: RequestMix): Capacity {
    return new Capacity(this.tree, mix, this)
  }

  /** Expected thousandths of the node's free GPUs that are of no use; see `RequestMix`. */
  stranded(node: number): number {
    if (this.strandedVersion[node] !== this.mix.version) {
      const { tree, gpuFree } = this
      this.strandedAt[node] = this.mix.stranded(
        gpuFree,
        tree.gpuStart[node]!,
        tree.gpuStart[node + 1]!,
        this.cpuFree[node]!,
        this.memoryFree[node]!,
      )
      this.strandedVersion[node] = this.mix.version
    }
    return this.strandedAt[node]!
  }

  /** Where the counts of this class under this domain start; add the number of free GPUs. */
  bucket(nodeClass: number, domain: number): number {
    return this.classStart[nodeClass]! + domain * (this.tree.classes[nodeClass]!.gpuCount + 1)
  }

  /** Open nodes of the class under the domain with at least `gpus` wholly free GPUs. */
  nodesWith(nodeClass: number, domain: number, gpus: number): number {
    const start = this.bucket(nodeClass, domain)
    const end = start + this.tree.classes[nodeClass]!.gpuCount
    let nodes = 0
    for (let i = start + gpus; i <= end; i++) nodes += this.buckets[i]!
    return nodes
  }

  take(footprint: Footprint): void {
    const { nodes, gpus, milli, cpuMilli, memoryMib } = footprint
    const { gpuFree, tree } = this
    for (let p = 0; p < nodes.length; p++) {
      const n = nodes[p]!
      const start = tree.gpuStart[n]!
      const indices = gpus[p]!
      if (indices.length === 0 && cpuMilli === 0 && memoryMib === 0) continue
      let whole = 0
      for (let i = 0; i < indices.length; i++) {
        const g = start + indices[i]!
        const free = gpuFree[g]!
        if (free < milli) broken(`S2: GPU ${indices[i]} of node ${tree.nodeIds[n]} is taken twice`)
        if (free === WHOLE_GPU) whole++
        gpuFree[g] = free - milli
      }
      this.giveMilli(n, -indices.length * milli)
      this.strandedVersion[n] = -1
      this.cpuFree[n]! -= cpuMilli
      this.memoryFree[n]! -= memoryMib
      if (whole > 0) this.setFree(n, this.nodeFree[n]! - whole)
    }
  }

  /** Whether nobody has taken any of these GPUs, or shares of them. Looks at no CPU or memory. */
  isVacant({ nodes, gpus, milli, cpuMilli, memoryMib }: Footprint): boolean {
    const { gpuFree, cpuFree, memoryFree, tree } = this
    return nodes.every(
      (n, p) =>
        cpuFree[n]! >= cpuMilli &&
        memoryFree[n]! >= memoryMib &&
        gpus[p]!.every((gpu) => gpuFree[tree.gpuStart[n]! + gpu]! >= milli),
    )
  }

  free(footprint: Footprint): void {
    const { nodes, gpus, milli, cpuMilli, memoryMib } = footprint
    const { gpuFree, tree } = this
    for (let p = 0; p < nodes.length; p++) {
      const n = nodes[p]!
      const start = tree.gpuStart[n]!
      const indices = gpus[p]!
      if (indices.length === 0 && cpuMilli === 0 && memoryMib === 0) continue
      let whole = 0
      for (let i = 0; i < indices.length; i++) {
        const g = start + indices[i]!
        const free = gpuFree[g]! + milli
        if (free > WHOLE_GPU) broken(`GPU ${indices[i]} of node ${tree.nodeIds[n]} is given back twice`)
        gpuFree[g] = free
        if (free === WHOLE_GPU) whole++
      }
      this.giveMilli(n, indices.length * milli)
      this.strandedVersion[n] = -1
      this.cpuFree[n]! += cpuMilli
      this.memoryFree[n]! += memoryMib
      if (whole > 0) this.setFree(n, this.nodeFree[n]! + whole)
    }
  }

  /**
   * Counts the whole GPUs of a footprint as free on their nodes, or with -1 as taken again, without saying which: for
   * a search for nodes, after which it is taken back.
   */
  countFree({ nodes, gpus }: Footprint, sign: 1 | -1): void {
    for (let p = 0; p < nodes.length; p++) {
      const count = gpus[p]!.length
      if (count > 0) this.setFree(nodes[p]!, this.nodeFree[nodes[p]!]! + sign * count)
    }
  }

  /** Keeps new work off a node for one more reason. */
  close(node: number): void {
    if (this.closed[node]!++ === 0) this.count(node, this.nodeFree[node]!, -1)
  }

  /** Takes one reason back. */
  open(node: number): void {
    if (this.closed[node]! <= 0) broken(`node ${this.tree.nodeIds[node]} is opened but was not closed`)
    if (--this.closed[node]! === 0) this.count(node, this.nodeFree[node]!, 1)
  }

  /** The indices of `count` wholly free GPUs of a node, lowest first. */
  freeGpus(node: number, count: number): readonly number[] {
    const start = this.tree.gpuStart[node]!
    const end = this.tree.gpuStart[node + 1]!
    if (count === end - start) return allGpus(count)
    const indices: number[] = []
    for (let g = start; g < end && indices.length < count; g++) {
      if (this.gpuFree[g] === WHOLE_GPU) indices.push(g - start)
    }
    return indices
  }

  private giveMilli(node: number, milli: number): void {
    this.milliFree[node]! += milli
    if (this.closed[node] === 0) this.openMilli[this.tree.nodeClass[node]!]! += milli
  }

  private setFree(node: number, free: number): void {
    if (this.closed[node] === 0) {
      const { tree } = this
      const c = tree.nodeClass[node]!
      const width = tree.classes[c]!.gpuCount + 1
      const base = this.classStart[c]!
      const before = this.nodeFree[node]!
      for (let d = tree.nodeDomain[node]!; d >= 0; d = tree.domainParent[d]!) {
        const at = base + d * width
        this.buckets[at + before]!--
        this.buckets[at + free]!++
      }
    }
    this.nodeFree[node] = free
  }

  private count(node: number, free: number, by: 1 | -1): void {
    const c = this.tree.nodeClass[node]!
    this.openMilli[c]! += by * this.milliFree[node]!
    for (let d = this.tree.nodeDomain[node]!; d >= 0; d = this.tree.domainParent[d]!) {
      this.buckets[this.bucket(c, d) + free]! += by
    }
  }
}

const ALL: (readonly number[])[] = []

/** Every index of a node of this size; one shared array for each size. */
function allGpus(count: number): readonly number[] {
  let all = ALL[count]
  if (!all) {
    all = Object.freeze(Array.from({ length: count }, (_, i) => i))
    ALL[count] = all
  }
  return all
}
