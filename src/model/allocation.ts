import type { NodeId } from '../base/index.ts'

/** GPUs of one node, by index in ascending order. */
export interface AllocationPart {
  readonly node: NodeId
  readonly gpus: readonly number[]
  /** Share of each listed GPU in thousandths; absent means whole GPUs. */
  readonly milliGpus?: number
}

/** What one attempt holds; parts are in rank order and no node appears twice. */
export interface Allocation {
  readonly parts: readonly AllocationPart[]
}

/** GPUs held, counting fractions: 0.25 for a quarter. */
export function allocatedGpus(allocation: Allocation): number {
  return milliGpusOf(allocation) / 1000
}

/** The same in thousandths. */
export function milliGpusOf(allocation: Allocation): number {
  let milli = 0
  for (const part of allocation.parts) milli += part.gpus.length * (part.milliGpus ?? 1000)
  return milli
}

/** Tasks of a gang on this allocation: one for each node, or one for each GPU it holds any share of. */
export function taskCount(program: { readonly tasksPer: 'gpu' | 'node' }, allocation: Allocation): number {
  if (program.tasksPer === 'node') return allocation.parts.length
  return allocation.parts.reduce((tasks, part) => tasks + part.gpus.length, 0)
}
