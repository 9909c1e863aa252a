import { DAY_MS, type DurationMs, HOUR_MS } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import type { ShapeName } from '../traces/generate.ts'

/** What a live twin follows from: the same plan always has the same people, who always submit the same. */
export interface LivePlan {
  readonly seed: number
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  readonly gpuCount: number
  /** Of the most common node. */
  readonly gpusPerNode: number
  readonly shape: ShapeName
  /** GPU-time asked for per GPU-time there is, served models included. */
  readonly load: number
  readonly faults: FaultPlan
  /** How long the machine has been in use when it is first looked at. */
  readonly historyMs: DurationMs
  /** Where the replicas of its served models answer. */
  readonly replicaAddress?: string
}

/** The history ends on the third day of the week, in the afternoon, when most is asked for. */
const FIRST_LOOK_MS = 2 * DAY_MS + 15 * HOUR_MS

/** Where in the week the twin was founded. */
export function foundedInWeek({ historyMs }: LivePlan): DurationMs {
  const week = 7 * DAY_MS
  return (((FIRST_LOOK_MS - historyMs) % week) + week) % week
}
