import type { NodeId, WorkloadId } from '../../base/index.ts'
import type { StoredState } from '../../control/index.ts'
import type { FinalWorkloadState } from '../../model/index.ts'
import type { CrashPoint } from '../faults/control-faults.ts'
import type { FaultOccurrence } from '../faults/fault-injector.ts'
import type { ModelStoreRecord } from '../faults/model-store.ts'
import type { FleetOccurrence } from '../fleet/fleet-options.ts'
import type { FleetRecord } from '../fleet/fleet-record.ts'
import type { AgendaRecord } from '../kernel/agenda.ts'
import type { StreamsRecord } from '../kernel/streams.ts'
import type { ServerOccurrence, ServerRecord } from './simulated-server.ts'

/** At one instant the fleet goes first, so that what was freed is free for whoever arrives; the pass goes last and sees all. */
export const RANK = { fleet: 0, fault: 1, user: 2, server: 3, pass: 4 } as const

/** All that can happen in a world. */
export type Happening =
  | FleetOccurrence
  | FaultOccurrence
  | ServerOccurrence
  | { readonly kind: 'submit' | 'resubmit'; readonly job: number }
  | { readonly kind: 'act'; readonly action: number }
  | { readonly kind: 'heal' }

/** A world in the middle of its run. */
export interface WorldRecord {
  readonly agenda: AgendaRecord<Happening>
  readonly streams: StreamsRecord
  readonly fleet: FleetRecord
  readonly slowNodes: readonly (readonly [NodeId, number])[]
  readonly server: ServerRecord
  readonly state: StoredState
  readonly hash: readonly [number, number]
  readonly jobOf: readonly (readonly [WorkloadId, number])[]
  readonly acknowledged: readonly (readonly [number, WorkloadId])[]
  readonly ended: readonly (readonly [string, { id: WorkloadId; state: FinalWorkloadState }])[]
  readonly refused: readonly string[]
  readonly counts: { readonly events: number; readonly steps: number; readonly openJobs: number }
  readonly healed: { readonly world: boolean; readonly faults: boolean; readonly control: boolean }
  readonly armed?: CrashPoint
  readonly store?: ModelStoreRecord
}
