import type { AttemptId, WorkloadId } from '../../base/index.ts'
import type { EngineFact } from '../../control/index.ts'
import type { Run } from './run.ts'
import type { NodesRecord } from './simulated-nodes.ts'

/** What an engine of the twin is in the middle of its work, as plain data. */
export interface FleetRecord extends NodesRecord {
  readonly runs: readonly Run[]
  readonly saved: readonly (readonly [WorkloadId, number])[]
  readonly ended: readonly (readonly [AttemptId, EngineFact])[]
}
