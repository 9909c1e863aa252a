import type {
  AttemptId,
  NodeId,
  OrganisationId,
  ReservationId,
  TimeMs,
  UserId,
  WorkloadId,
} from '../base/index.ts'
import type {
  Actor,
  Allocation,
  AvoidedNode,
  Checkpoint,
  ClusterDescription,
  Failure,
  NodeDescription,
  NodeState,
  Outcome,
  Owner,
  Policy,
  Prices,
  Progress,
  Queue,
  Reservation,
  ReservationOwners,
  StartForecast,
  StopRequest,
  Team,
  Token,
  Usage,
  User,
  WorkloadSpec,
} from '../model/index.ts'

import type { Hold } from '../scheduler/index.ts'

/** A fact of the ledger. State changes only by `evolve` of one of these (S6). */
export type Event =
  | { readonly kind: 'cluster-described'; readonly cluster: ClusterDescription }
  | { readonly kind: 'organisation-created'; readonly organisation: OrganisationId }
  | { readonly kind: 'team-created'; readonly team: Team }
  | { readonly kind: 'user-set'; readonly user: User }
  | { readonly kind: 'user-removed'; readonly user: UserId }
  | { readonly kind: 'token-issued'; readonly token: Token }
  | { readonly kind: 'token-revoked'; readonly sha256: string }
  | { readonly kind: 'queue-set'; readonly queue: Queue }
  | { readonly kind: 'policy-set'; readonly policy: Policy }
  /** Policy, where it is there, and queues were set together. */
  | { readonly kind: 'policy-applied'; readonly policy?: Policy; readonly queues: readonly Queue[] }
  | { readonly kind: 'prices-set'; readonly prices: Prices }
  | { readonly kind: 'reservation-made'; readonly reservation: Reservation }
  | {
      readonly kind: 'reservation-ended'
      readonly reservation: ReservationId
      readonly how: 'cancelled' | 'over'
      /** As they were, so that those whom it concerned can be told. */
      readonly owners?: ReservationOwners
    }
  | { readonly kind: 'node-described'; readonly node: NodeDescription }
  | { readonly kind: 'node-moved'; readonly node: NodeId; readonly to: NodeState; readonly reason: string }
  | { readonly kind: 'node-contact'; readonly node: NodeId; readonly contact: 'connected' | 'lost' }
  /** What others than Banyan hold on the node. */
  | {
      readonly kind: 'node-foreign'
      readonly node: NodeId
      readonly gpus: readonly number[]
      readonly holder: string
    }
  /** The node goes on under another name, with all that stands on it; its engine keeps its own. */
  | { readonly kind: 'node-renamed'; readonly node: NodeId; readonly to: NodeId }
  | { readonly kind: 'node-removed'; readonly node: NodeId }
  | {
      readonly kind: 'workload-submitted'
      readonly workload: WorkloadId
      readonly owner: Owner
      readonly spec: WorkloadSpec
      readonly waitsFor: readonly WorkloadId[]
      readonly submission?: { readonly key: string; readonly requestHash: string }
    }
  | { readonly kind: 'dependency-met'; readonly workload: WorkloadId; readonly on: WorkloadId }
  | { readonly kind: 'start-forecast'; readonly workload: WorkloadId; readonly forecast: StartForecast }
  | { readonly kind: 'workload-stopping'; readonly workload: WorkloadId; readonly reason: string }
  | { readonly kind: 'workload-scaled'; readonly workload: WorkloadId; readonly replicas: number }
  | {
      readonly kind: 'workload-finished'
      readonly workload: WorkloadId
      readonly state: 'succeeded' | 'failed' | 'cancelled'
      readonly reason: string
    }
  | {
      readonly kind: 'attempt-planned'
      readonly workload: WorkloadId
      readonly attempt: AttemptId
      readonly number: number
      readonly replica: number
      readonly allocation: Allocation
    }
  | { readonly kind: 'attempt-running'; readonly attempt: AttemptId; readonly address?: string }
  | { readonly kind: 'attempt-stopping'; readonly attempt: AttemptId; readonly stop: StopRequest }
  | {
      readonly kind: 'attempt-progressed'
      readonly attempt: AttemptId
      readonly progress: Progress
      /** It is the first by which its run time is known, and the policy's order may be another by that. */
      readonly reorders?: true
      readonly checkpoint?: Checkpoint
      readonly firstLoss?: number
    }
  | {
      readonly kind: 'replica-readiness'
      readonly attempt: AttemptId
      readonly ready: boolean
      readonly detail: string
    }
  | {
      readonly kind: 'attempt-ended'
      readonly attempt: AttemptId
      readonly endedAt: TimeMs
      readonly outcome: Outcome
      readonly failure?: Failure
      /** What follows for the workload: another attempt not before a time, or nothing yet (a finish event follows). */
      readonly retry?: {
        readonly notBefore: TimeMs
        readonly avoid: readonly AvoidedNode[]
        readonly reason: string
      }
      readonly usage: Usage
    }
  | {
      /** Capacity that a plan keeps for one gang until it has started (S3). */
      readonly kind: 'hold-placed'
      readonly hold: Hold
    }
  | { readonly kind: 'hold-released'; readonly hold: ReservationId; readonly reason: string }

export type EventKind = Event['kind']

/** An event with who did it, because of what, when, and its place in the log. */
export interface LoggedEvent {
  readonly sequence: number
  readonly at: TimeMs
  readonly actor: Actor
  /** The command that led to it: `submit`, `schedule`, `observe` ... */
  readonly cause: string
  readonly event: Event
}
