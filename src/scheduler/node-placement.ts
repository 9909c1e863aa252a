import type { Capacity } from './capacity.ts'
import type { Footprint } from './footprint.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { ClassOption, RequestClass } from './request-class.ts'

/** The best node for a request that fits on one and that counts fractions, CPU or memory. Takes nothing. */
export function placeOnNode(capacity: Capacity, request: RequestClass): Footprint | undefined {
  const { cpuMilli = 0, memoryMib = 0 } = request.request
  let best: Footprint | undefined
  let bestScore = Number.POSITIVE_INFINITY
  for (const option of request.options) {
    const { tree } = capacity
    for (let n = 0; n < tree.nodeCount; n++) {
      if (tree.nodeClass[n] !== option.nodeClass || capacity.closed[n] !== 0) continue
      if (capacity.cpuFree[n]! < cpuMilli || capacity.memoryFree[n]! < memoryMib) continue
      const gpus = gpusFor(capacity, n, option)
      if (!gpus) continue
      const score = leftOver(capacity, n, option)
      if (score >= bestScore) continue
      bestScore = score
      best = { nodes: [n], gpus: [gpus], milli: option.milli, cpuMilli, memoryMib }
    }
  }
  return best
}

function gpusFor(capacity: Capacity, node: number, option: ClassOption): readonly number[] | undefined {
  if (option.milli === WHOLE_GPU) {
    if (capacity.nodeFree[node]! < option.gpusPerNode) return undefined
    return capacity.freeGpus(node, option.gpusPerNode)
  }
  const start = capacity.tree.gpuStart[node]!
  let best = -1
  for (let g = start; g < capacity.tree.gpuStart[node + 1]!; g++) {
    const free = capacity.gpuFree[g]!
    if (free >= option.milli && (best < 0 || free < capacity.gpuFree[best]!)) best = g
  }
  return best < 0 ? undefined : [best - start]
}

function leftOver(capacity: Capacity, node: number, option: ClassOption): number {
  let free = 0
  for (let g = capacity.tree.gpuStart[node]!; g < capacity.tree.gpuStart[node + 1]!; g++)
    free += capacity.gpuFree[g]!
  return free - option.gpuMilli
}
