import type { DurationMs, NodeId, TimeMs } from '../../base/index.ts'
import type { Command } from '../../control/index.ts'
import type { Fabric } from '../../fabric/index.ts'
import type { NodeAction, NodeDescription, Policy, Queue } from '../../model/index.ts'
import type { ControlFaultPlan } from '../faults/control-faults.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import type { SimulatedJob } from './simulated-job.ts'

/** Everything that a run follows from. */
export interface WorldSetup {
  readonly seed: number
  readonly startMs: TimeMs
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  readonly policy: Policy
  /** Settings of tenants' queues, in their place of the open ones that each gets. */
  readonly queues?: readonly Queue[]
  /** In order of submission. */
  readonly jobs: readonly SimulatedJob[]
  /** Absent: gangs never wait for each other's traffic. */
  readonly fabric?: Fabric
  readonly faults?: FaultPlan
  readonly tellSaves?: boolean
  /** How the control plane itself fails; then it also has a store to start again from. */
  readonly controlFaults?: ControlFaultPlan
  /** Whether that store keeps all events and what has ended, for checkers to look at. */
  readonly keepsPast?: boolean
  /** Nothing fails later than this after the start. */
  readonly healMs?: DurationMs
  /** What people do beside submitting. */
  readonly actions?: readonly UserAction[]
  /** Nothing happens later than this after the start. */
  readonly horizonMs?: DurationMs
}

export interface UserAction {
  readonly atMs: TimeMs
  readonly what:
    | { readonly kind: 'stop'; readonly job: number; readonly kill: boolean }
    | { readonly kind: 'scale'; readonly job: number; readonly replicas: number }
    | { readonly kind: 'node'; readonly node: NodeId; readonly action: NodeAction }
    | { readonly kind: 'command'; readonly command: Command }
}
