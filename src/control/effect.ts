import type { AttemptId, NodeId, TimeMs } from '../base/index.ts'
import type { LoggedEvent } from './event.ts'
import type { LaunchOrder, NodeServiceOrder, StopOrder } from './ports/index.ts'

/** What the engine is to be asked once the events are durable. Each may be repeated; the attempt id makes it once. */
export type Effect =
  | { readonly kind: 'launch'; readonly order: LaunchOrder }
  | { readonly kind: 'stop'; readonly attempt: AttemptId; readonly how: StopOrder }
  /** A person took a node out of use, or put it back: others who submit to the engine are to see that. */
  | { readonly kind: 'node-service'; readonly node: NodeId; readonly order: NodeServiceOrder }
  | { readonly kind: 'forget'; readonly attempt: AttemptId }

/** Why a command was refused. */
export interface Rejection {
  readonly code: RejectionCode
  /** What was wrong and what to do next. */
  readonly message: string
}

export type RejectionCode =
  | 'no-such-workload'
  | 'no-such-node'
  | 'no-such-queue'
  | 'no-such-team'
  | 'no-such-organisation'
  | 'no-such-user'
  | 'no-such-token'
  | 'no-such-dependency'
  | 'dependency-failed'
  | 'already-exists'
  | 'not-allowed-in-state'
  | 'model-name-taken'
  | 'invalid-queue'
  | 'stale'
  | 'topology-in-use'
  | 'invalid-name'
  | 'no-such-reservation'
  | 'invalid-reservation'
  | 'invalid-prices'

/** What came of a command. When refused, nothing changed. */
export type Decision =
  | {
      readonly ok: true
      readonly events: readonly LoggedEvent[]
      readonly effects: readonly Effect[]
      /** A further scheduling pass could decide differently from this time on without any new event. */
      readonly nextPassAt?: TimeMs
    }
  | { readonly ok: false; readonly rejection: Rejection }
