import type { NodeId } from '../../base/index.ts'
import type { Run } from './run.ts'
import type { Speeds } from './speeds.ts'

/** How gangs share the fabric: which others a gang touches, and the part of its full rate that it gets. */
export interface FabricShares {
  enter(run: Run): Iterable<Run>
  leave(run: Run): Iterable<Run>
  /** From 0 to 1. */
  shareOf(run: Run): number
}

/**
 * Speeds of gangs that march in step: the slowest node sets the pace of computing, and the share of a step that waits
 * for traffic grows as the fabric gives less than the gang could use.
 */
export class Pace implements Speeds {
  readonly #slow = new Map<NodeId, number>()
  readonly #fabric: FabricShares | undefined

  constructor(fabric?: FabricShares) {
    this.#fabric = fabric
  }

  /** 1 for a sound node. */
  setNodeSpeed(node: NodeId, speed: number): void {
    if (speed === 1) this.#slow.delete(node)
    else this.#slow.set(node, speed)
  }

  isSlow(node: NodeId): boolean {
    return this.#slow.has(node)
  }

  speedOfNode(node: NodeId): number {
    return this.#slow.get(node) ?? 1
  }

  slowNodes(): readonly (readonly [NodeId, number])[] {
    return [...this.#slow]
  }

  enter(run: Run): Iterable<Run> {
    return this.#fabric?.enter(run) ?? []
  }

  leave(run: Run): Iterable<Run> {
    return this.#fabric?.leave(run) ?? []
  }

  speedOf(run: Run): number {
    if (run.behaviour.hold) return 1
    let computing = 1
    if (this.#slow.size > 0) {
      for (const { node } of run.order.allocation.parts)
        computing = Math.min(computing, this.#slow.get(node) ?? 1)
    }
    const { traffic } = run.behaviour
    if (!traffic || !this.#fabric) return computing
    // A step of length 1 spends `share` of it waiting for traffic at full rate.
    return 1 / ((1 - traffic.share) / computing + traffic.share / this.#fabric.shareOf(run))
  }
}
