import type { NodeId } from '../base/index.ts'
import { are } from './amounts.ts'
import type { Capacity } from './capacity.ts'
import { WHOLE_GPU } from './footprint.ts'

/**
 * GPUs that others than Banyan hold, kept out of the capacity. The engine's word and Banyan's own starts may cross:
 * whatever of Banyan's is on record there has not got them, and gives none back when it ends.
 */
export class ForeignUse {
  /** Indices, by the engine's word; those that the node has are out of the capacity. */
  private readonly uses = new Map<NodeId, readonly number[]>()

  /** Whole GPUs of a node with so many that are kept out. */
  on(node: NodeId, gpuCount: number): number {
    return this.uses.size === 0 ? 0 : (this.uses.get(node)?.filter((gpu) => gpu < gpuCount).length ?? 0)
  }

  has(node: NodeId, gpu: number): boolean {
    return this.uses.size > 0 && (this.uses.get(node)?.includes(gpu) ?? false)
  }

  /** What explanations add where free GPUs are counted; empty when others hold none. */
  words({ tree }: Capacity): string {
    let gpus = 0
    for (const node of this.uses.keys()) {
      const n = tree.nodeIndex.get(node)
      if (n !== undefined) gpus += this.on(node, tree.descriptions[n]!.gpuCount)
    }
    return gpus === 0 ? '' : ` ${gpus} more ${are(gpus)} held by others past Banyan.`
  }

  /** Nothing of Banyan's may be taken on the node meanwhile. */
  set(capacity: Capacity, node: NodeId, gpus: readonly number[]): void {
    this.change(capacity, node, 'free')
    if (gpus.length === 0) this.uses.delete(node)
    else this.uses.set(node, gpus)
    this.change(capacity, node, 'take')
  }

  rename(from: NodeId, to: NodeId): void {
    const use = this.uses.get(from)
    if (!use) return
    this.uses.delete(from)
    this.uses.set(to, use)
  }

  remove(node: NodeId): void {
    this.uses.delete(node)
  }

  /** The nodes were numbered anew: nothing is taken yet. */
  takeAll(capacity: Capacity): void {
    for (const node of this.uses.keys()) this.change(capacity, node, 'take')
  }

  /** For a copy of the capacity, in which the same is taken. */
  copyInto(copy: ForeignUse): void {
    for (const [node, use] of this.uses) copy.uses.set(node, use)
  }

  private change(capacity: Capacity, node: NodeId, how: 'take' | 'free'): void {
    const n = capacity.tree.nodeIndex.get(node)
    const use = this.uses.get(node)
    if (n === undefined || !use) return
    const { gpuCount } = capacity.tree.descriptions[n]!
    const gpus = use.filter((gpu) => gpu < gpuCount)
    capacity[how]({ nodes: [n], gpus: [gpus], milli: WHOLE_GPU, cpuMilli: 0, memoryMib: 0 })
  }
}
