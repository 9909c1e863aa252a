import { present } from '../base/index.ts'
import type { Allocation, AllocationPart } from '../model/index.ts'
import type { TopologyTree } from './tree.ts'

/** Thousandths in one GPU. */
export const WHOLE_GPU = 1000

/** An allocation by index into one tree: which GPUs of which nodes, and how much of each and of the nodes' CPU and memory. */
export interface Footprint {
  /** In rank order. */
  readonly nodes: readonly number[]
  /** GPU indices on each of the nodes. */
  readonly gpus: readonly (readonly number[])[]
  /** Thousandths taken of each GPU. */
  readonly milli: number
  /** Taken on each node. */
  readonly cpuMilli: number
  readonly memoryMib: number
  /** GPU indices on each of the nodes that the node no longer has, or that others have now: they count as held, and nothing is taken for them. */
  readonly gone?: readonly (readonly number[])[]
}

export function footprintGpuMilli(footprint: Footprint): number {
  let gpus = 0
  for (const indices of footprint.gpus) gpus += indices.length
  for (const indices of footprint.gone ?? []) gpus += indices.length
  return gpus * footprint.milli
}

export function toAllocation(tree: TopologyTree, footprint: Footprint): Allocation {
  return {
    parts: footprint.nodes.map((node, p): AllocationPart => {
      const part = { node: tree.nodeIds[node]!, gpus: footprint.gpus[p]! }
      return footprint.milli === WHOLE_GPU ? part : { ...part, milliGpus: footprint.milli }
    }),
  }
}

export function toFootprint(
  tree: TopologyTree,
  allocation: Allocation,
  cpuMilli: number,
  memoryMib: number,
): Footprint {
  return {
    nodes: allocation.parts.map((part) => present(tree.nodeIndex.get(part.node), 'node', part.node)),
    gpus: allocation.parts.map((part) => part.gpus),
    milli: allocation.parts[0]?.milliGpus ?? WHOLE_GPU,
    cpuMilli,
    memoryMib,
  }
}

/** The same with what there is of it told from what there is no more. */
export function asItStands(footprint: Footprint, isThere: (node: number, gpu: number) => boolean): Footprint {
  const { nodes, gpus } = footprint
  if (!footprint.gone && gpus.every((indices, p) => indices.every((gpu) => isThere(nodes[p]!, gpu))))
    return footprint
  const { gone, ...rest } = footprint
  const all = gone ? gpus.map((indices, p) => [...indices, ...gone[p]!].sort((a, b) => a - b)) : gpus
  const there = all.map((indices, p) => indices.filter((gpu) => isThere(nodes[p]!, gpu)))
  const missing = all.map((indices, p) => indices.filter((gpu) => !isThere(nodes[p]!, gpu)))
  if (missing.every((indices) => indices.length === 0)) return { ...rest, gpus: all }
  return { ...rest, gpus: there, gone: missing }
}
