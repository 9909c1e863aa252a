import type { NodeId } from '../base/index.ts'
import { are } from './amounts.ts'
import type { Capacity } from './capacity.ts'
import { type Footprint, WHOLE_GPU } from './footprint.ts'
import type { TopologyTree } from './tree.ts'

interface Use {
  /** Indices that others than Banyan hold, by the engine's word. */
  readonly gpus: readonly number[]
  /** Those of them that are out of the capacity now; the rest is held by Banyan's own work still. */
  taken: readonly number[]
}

/**
 * GPUs that others than Banyan hold, kept out of the capacity. The engine's word and Banyan's own starts may cross,
 * so that only what nobody has is taken, and the rest when it becomes free.
 */
export class ForeignUse {
  private readonly uses = new Map<NodeId, Use>()

  /** Whole GPUs of the node that are kept out. */
  on(node: NodeId): number {
    return this.uses.size === 0 ? 0 : (this.uses.get(node)?.taken.length ?? 0)
  }

  /** What explanations add where free GPUs are counted; empty when others hold none. */
  get words(): string {
    let gpus = 0
    for (const { taken } of this.uses.values()) gpus += taken.length
    return gpus === 0 ? '' : ` ${gpus} more ${are(gpus)} held by others past Banyan.`
  }

  /** Whether others hold some of it, by the engine's word: whoever leaves it leaves that to them. */
  claims(tree: TopologyTree, { nodes, gpus }: Footprint): boolean {
    if (this.uses.size === 0) return false
    return nodes.some((node, p) => {
      const use = this.uses.get(tree.nodeIds[node]!)
      return use !== undefined && gpus[p]!.some((gpu) => use.gpus.includes(gpu))
    })
  }

  set(capacity: Capacity, node: NodeId, gpus: readonly number[]): void {
    this.giveBack(capacity, node)
    if (gpus.length === 0) this.uses.delete(node)
    else {
      this.uses.set(node, { gpus, taken: [] })
      this.refill(capacity)
    }
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

  /** Takes what has become free. */
  refill(capacity: Capacity): void {
    for (const [node, use] of this.uses) {
      const n = capacity.tree.nodeIndex.get(node)
      if (n === undefined || use.taken.length === use.gpus.length) continue
      const start = capacity.tree.gpuStart[n]!
      const count = capacity.tree.gpuStart[n + 1]! - start
      const more = use.gpus.filter(
        (gpu) => gpu < count && !use.taken.includes(gpu) && capacity.gpuFree[start + gpu] === WHOLE_GPU,
      )
      if (more.length === 0) continue
      capacity.take(footprint(n, more))
      use.taken = [...use.taken, ...more]
    }
  }

  /** The nodes were numbered anew: nothing is taken yet. */
  retake(capacity: Capacity): void {
    for (const use of this.uses.values()) use.taken = []
    this.refill(capacity)
  }

  /** For a copy of the capacity, in which the same is taken. */
  copyInto(copy: ForeignUse): void {
    for (const [node, use] of this.uses) copy.uses.set(node, { ...use })
  }

  private giveBack(capacity: Capacity, node: NodeId): void {
    const n = capacity.tree.nodeIndex.get(node)
    const taken = this.uses.get(node)?.taken ?? []
    if (n !== undefined && taken.length > 0) capacity.free(footprint(n, taken))
  }
}

function footprint(node: number, gpus: readonly number[]): Footprint {
  return { nodes: [node], gpus: [gpus], milli: WHOLE_GPU, cpuMilli: 0, memoryMib: 0 }
}
