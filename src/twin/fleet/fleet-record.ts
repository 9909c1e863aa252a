import type { AttemptId, NodeId, WorkloadId } from '../../base/index.ts'
import type { EngineFact } from '../../control/index.ts'
import type { Run } from './run.ts'

/** What an engine of the twin is in the middle of its work, as plain data. */
export interface FleetRecord {
  readonly runs: readonly Run[]
  readonly saved: readonly (readonly [WorkloadId, number])[]
  readonly down: readonly NodeId[]
  readonly away: readonly NodeId[]
  readonly ended: readonly (readonly [AttemptId, EngineFact])[]
}
