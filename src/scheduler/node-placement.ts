import type { Capacity } from './capacity.ts'
import type { Footprint } from './footprint.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { ClassOption, RequestClass } from './request-class.ts'

/**
 * The best node for a request that fits on one and that counts fractions, CPU or memory: where it strands least of
 * what is free. Requests without GPUs go to nodes without, while there are any. Takes nothing.
 */
export function placeOnNode(capacity: Capacity, request: RequestClass): Footprint | undefined {
  capacity.mix.refresh()
  return new NodePlacement(capacity, request).find()
}

class NodePlacement {
  private readonly capacity: Capacity
  private readonly request: RequestClass
  private readonly cpuMilli: number
  private readonly memoryMib: number
  private bestCost = Number.POSITIVE_INFINITY
  private best: { node: number; gpus: readonly number[]; option: ClassOption } | undefined

  constructor(capacity: Capacity, request: RequestClass) {
    this.capacity = capacity
    this.request = request
    this.cpuMilli = request.request.cpuMilli ?? 0
    this.memoryMib = request.request.memoryMib ?? 0
  }

  find(): Footprint | undefined {
    const { capacity, cpuMilli, memoryMib } = this
    const { tree } = capacity
    const options: (ClassOption | undefined)[] = []
    for (const option of this.request.options) options[option.nodeClass] = option
    /** Nodes of equal state cost the same; only the first of each is tried. */
    const tried = new Set<string | number>()
    for (let n = 0; n < tree.nodeCount; n++) {
      const option = options[tree.nodeClass[n]!]
      if (!option || capacity.closed[n] !== 0 || capacity.milliFree[n]! < option.gpuMilli) continue
      if (capacity.cpuFree[n]! < cpuMilli || capacity.memoryFree[n]! < memoryMib) continue
      const free = capacity.nodeFree[n]!
      if (free * WHOLE_GPU === capacity.milliFree[n]) {
        const state =
          cpuMilli + memoryMib === 0
            ? option.nodeClass * 4096 + free
            : `${option.nodeClass} ${free} ${capacity.cpuFree[n]} ${capacity.memoryFree[n]}`
        if (tried.has(state)) continue
        tried.add(state)
      }
      this.tryNode(n, option)
    }
    if (!this.best) return undefined
    const { node, gpus, option } = this.best
    return { nodes: [node], gpus: [gpus], milli: option.milli, cpuMilli, memoryMib }
  }

  private tryNode(node: number, option: ClassOption): void {
    const { capacity } = this
    if (option.gpuMilli === 0) {
      // A GPU must never be stranded for work that needs none.
      const left = capacity.cpuFree[node]! - this.cpuMilli
      const hasGpus = capacity.tree.classes[option.nodeClass]!.gpuCount > 0
      const cost = hasGpus ? 1e6 + this.strandedBy(node, NO_GPUS, 0) + left / 1e9 : left / 1e9
      this.consider(cost, node, NO_GPUS, option)
      return
    }
    if (option.milli === WHOLE_GPU) {
      if (capacity.nodeFree[node]! < option.gpusPerNode) return
      const gpus = capacity.freeGpus(node, option.gpusPerNode)
      this.consider(this.strandedBy(node, gpus, WHOLE_GPU), node, gpus, option)
      return
    }
    const start = capacity.tree.gpuStart[node]!
    const end = capacity.tree.gpuStart[node + 1]!
    for (let g = start; g < end; g++) {
      const free = capacity.gpuFree[g]!
      if (free < option.milli || this.hasEqualBefore(start, g)) continue
      const gpus = [g - start]
      this.consider(this.strandedBy(node, gpus, option.milli), node, gpus, option)
    }
  }

  private hasEqualBefore(start: number, gpu: number): boolean {
    const { gpuFree } = this.capacity
    for (let g = start; g < gpu; g++) if (gpuFree[g] === gpuFree[gpu]) return true
    return false
  }

  /** How much more is stranded once this is taken, with a nudge towards nodes that are already in use. */
  private strandedBy(node: number, gpus: readonly number[], milli: number): number {
    const { capacity } = this
    const { gpuFree, mix, tree } = capacity
    const start = tree.gpuStart[node]!
    const end = tree.gpuStart[node + 1]!
    const before = capacity.stranded(node)
    for (let i = 0; i < gpus.length; i++) gpuFree[start + gpus[i]!]! -= milli
    const cpuFree = capacity.cpuFree[node]! - this.cpuMilli
    const after = mix.stranded(gpuFree, start, end, cpuFree, capacity.memoryFree[node]! - this.memoryMib)
    for (let i = 0; i < gpus.length; i++) gpuFree[start + gpus[i]!]! += milli
    return after - before + capacity.milliFree[node]! * 1e-6
  }

  private consider(cost: number, node: number, gpus: readonly number[], option: ClassOption): void {
    if (cost >= this.bestCost) return
    this.bestCost = cost
    this.best = { node, gpus, option }
  }
}

const NO_GPUS: readonly number[] = []
