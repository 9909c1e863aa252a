import type { NodeId } from '../../base/index.ts'
import type { Run } from './run.ts'

/** How fast gangs run where they stand, beside what else runs. */
export interface Speeds {
  /** The run takes its place; returns the runs whose speed may have changed, itself among them. */
  enter(run: Run): Iterable<Run>
  leave(run: Run): Iterable<Run>
  /** Work per time, 1 at full speed. */
  speedOf(run: Run): number
  /** How fast the node computes, 1 for a sound one. */
  speedOfNode(node: NodeId): number
}
