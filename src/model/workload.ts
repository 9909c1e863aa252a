import type { AttemptId, DurationMs, NodeId, QueueId, TimeMs, WorkloadId } from '../base/index.ts'
import { broken } from '../base/index.ts'
import type { Owner } from './tenancy.ts'
import type { WorkloadSpec } from './workload-spec.ts'

/**
 * - `queued`: no live attempt; waits for capacity, a dependency or a back-off.
 * - `starting`: an attempt holds its allocation and is being launched, or a replica is not yet ready.
 * - `running`: the gang runs, or at least one replica is ready.
 * - `stopping`: somebody asked for its end; live attempts are being ended.
 * - `succeeded`, `failed`, `cancelled`: final; no live attempt, never changes again.
 */
export const WORKLOAD_STATES = [
  'queued',
  'starting',
  'running',
  'stopping',
  'succeeded',
  'failed',
  'cancelled',
] as const
export type WorkloadState = (typeof WORKLOAD_STATES)[number]

/** Every legal change of a workload's state. `starting` and `running` go back to `queued` when an attempt ends and is retried. */
const WORKLOAD_TRANSITIONS = {
  queued: ['starting', 'failed', 'cancelled'],
  starting: ['running', 'queued', 'stopping', 'succeeded', 'failed'],
  running: ['starting', 'queued', 'stopping', 'succeeded', 'failed'],
  stopping: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<WorkloadState, readonly WorkloadState[]>

export const FINAL_WORKLOAD_STATES = ['succeeded', 'failed', 'cancelled'] as const
export type FinalWorkloadState = (typeof FINAL_WORKLOAD_STATES)[number]

export function isFinal(state: WorkloadState): state is FinalWorkloadState {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}

export function canWorkloadBecome(from: WorkloadState, to: WorkloadState): boolean {
  return (WORKLOAD_TRANSITIONS[from] as readonly WorkloadState[]).includes(to)
}

/** What a running program said of itself in its progress file. */
export interface Progress {
  readonly at: TimeMs
  readonly step: number
  readonly totalSteps?: number
  readonly loss?: number
  readonly tokens?: number
}

/** The newest checkpoint that the program declared durable. */
export interface Checkpoint {
  readonly at: TimeMs
  readonly step: number
  readonly path: string
}

/** How long a run still takes by its program's own reports: the steps left times what a step takes. */
export interface TimeLeft {
  /** Of running, from `at` on where it runs then. */
  readonly ms: DurationMs
  readonly at: TimeMs
  /** The pace that was measured last, by which a restart is told until it reports. */
  readonly stepMs: number
}

/** By when half, and nine in ten, of the runs forward had started it. */
export interface StartForecast {
  readonly madeAt: TimeMs
  readonly p50At: TimeMs
  readonly p90At: TimeMs
  readonly replications: number
}

/** GPU-milliseconds held, billed to the user, and lost: since the last checkpoint of what was cut off, and in starting it again. */
export interface Usage {
  readonly held: number
  readonly billed: number
  readonly lost: number
}

/** A node that this workload shall not be placed on before `until`, because an attempt failed there (S7). */
export interface AvoidedNode {
  readonly node: NodeId
  readonly until: TimeMs
}

export interface Workload {
  readonly id: WorkloadId
  readonly owner: Owner
  readonly queue: QueueId
  /** Changes only when a `serve` workload is scaled. */
  spec: WorkloadSpec
  readonly submittedAt: TimeMs
  /** What past runs said at its submission of how long it runs; absent for one that never ends by itself. */
  readonly predictedMs?: DurationMs
  /** Workloads that must still succeed before this one may start. */
  waitsFor: readonly WorkloadId[]
  state: WorkloadState
  /** When the present state began. */
  stateSince: TimeMs
  /** Why it is in this state, in one sentence a person can act on; empty when there is nothing to say. */
  stateReason: string
  /** What was forecast of its first start when it came to wait; kept to be scored. */
  forecast?: StartForecast
  firstStartedAt?: TimeMs
  attemptCount: number
  /** Attempts that have not ended. */
  liveAttempts: readonly AttemptId[]
  userFailures: number
  platformFailures: number
  /** It may not start before: the back-off after a failure. */
  notBefore: TimeMs
  avoidedNodes: readonly AvoidedNode[]
  progress?: Progress
  /** By its program's own reports; absent until these tell it. */
  timeLeft?: TimeLeft
  firstLoss?: number
  checkpoint?: Checkpoint
  /** Replicas whose last attempt the platform or other work cut off, and that have not been started since. */
  cutOff?: readonly number[]
  /** Of all ended attempts. */
  usage: Usage
}

/** The one place where a workload's state changes. */
export function moveWorkload(workload: Workload, to: WorkloadState, at: TimeMs, reason: string): void {
  if (!canWorkloadBecome(workload.state, to)) broken(`workload ${workload.id}: ${workload.state} -> ${to}`)
  workload.state = to
  workload.stateSince = at
  workload.stateReason = reason
}
