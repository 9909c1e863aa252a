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
  FinalWorkloadState,
  NodeAction,
  Owner,
  Policy,
  PriceList,
  Queue,
  Reservation,
  ReservationWish,
  StartForecast,
  Team,
  Token,
  User,
  WorkloadSpec,
} from '../model/index.ts'
import type { FailureClasses } from './failure-classes.ts'
import type { EngineFact, EngineInventory } from './ports/index.ts'

/** Something that wants the state changed. Whether the caller may ask for it was settled before, by the server. */
export type Command =
  | {
      readonly kind: 'submit'
      readonly owner: Owner
      readonly specs: readonly WorkloadSpec[]
      /** How the workloads named in `dependsOn` that are no longer live ended; the server looks them up. */
      readonly ended: ReadonlyMap<string, { readonly id: WorkloadId; readonly state: FinalWorkloadState }>
      readonly submission?: { readonly key: string; readonly requestHash: string }
    }
  /** `kill` skips the grace. */
  | { readonly kind: 'stop'; readonly workload: WorkloadId; readonly kill: boolean }
  | { readonly kind: 'scale'; readonly workload: WorkloadId; readonly replicas: number }
  /** One scheduling pass. */
  | { readonly kind: 'schedule' }
  /** Time went on: enforce limits. */
  | { readonly kind: 'tick' }
  /** What the engine saw; `complete` means that it knows of nothing else. */
  | { readonly kind: 'observe'; readonly facts: readonly EngineFact[]; readonly complete: boolean }
  | { readonly kind: 'inventory'; readonly inventory: EngineInventory }
  /** The engine stopped or began to answer. */
  | { readonly kind: 'contact'; readonly contact: 'connected' | 'lost' }
  /** What the readiness probe of a replica found. */
  | {
      readonly kind: 'probe'
      readonly attempt: AttemptId
      readonly ready: boolean
      readonly detail: string
    }
  | {
      readonly kind: 'node-action'
      readonly node: NodeId
      readonly action: NodeAction
      readonly reason: string
    }
  | { readonly kind: 'rename-node'; readonly node: NodeId; readonly to: NodeId }
  | { readonly kind: 'create-organisation'; readonly organisation: OrganisationId }
  | { readonly kind: 'create-team'; readonly team: Team }
  | { readonly kind: 'set-user'; readonly user: User }
  | { readonly kind: 'remove-user'; readonly user: UserId }
  | { readonly kind: 'issue-token'; readonly token: Token }
  | { readonly kind: 'revoke-token'; readonly sha256: string }
  | { readonly kind: 'set-queue'; readonly queue: Queue }
  | { readonly kind: 'reserve'; readonly reservation: NewReservation }
  | { readonly kind: 'cancel-reservation'; readonly reservation: ReservationId }
  /** Puts on record when workloads that have no forecast yet were said to start. */
  | { readonly kind: 'record-forecasts'; readonly forecasts: ReadonlyMap<WorkloadId, StartForecast> }
  | { readonly kind: 'set-policy'; readonly policy: Policy }
  /** Policy and queues together, all or none; refused when what they replace is no longer `replaces`. */
  | ({ readonly kind: 'apply-policy'; readonly replaces: PolicyAndQueues } & PolicyAndQueues)
  /** From `list.since` on; what was said of later times before is replaced. */
  | { readonly kind: 'set-prices'; readonly currency: string; readonly list: PriceList }

export interface PolicyAndQueues {
  readonly policy?: Policy
  readonly queues: readonly Queue[]
}

/** A reservation whose nodes are still to be chosen. */
export type NewReservation = Omit<Reservation, 'nodes'> & { readonly wish: ReservationWish }

/** Who asks, when, and by which data: the only way in which the outside enters a decision. */
export interface Context {
  readonly now: TimeMs
  readonly actor: Actor
  /** How exits of tasks are read. */
  readonly failureClasses: FailureClasses
}
