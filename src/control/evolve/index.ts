import { broken } from '../../base/index.ts'
import type { LoggedEvent } from '../event.ts'
import type { ControlState } from '../state.ts'
import { evolveAttempt } from './attempt.ts'
import { evolveCluster } from './cluster.ts'
import { evolveTenancy } from './tenancy.ts'
import { evolveWorkload } from './workload.ts'

/**
 * The state after the event, changed in place. The same events in the same order give the same state, byte for
 * byte (S6); an event out of order is a broken invariant.
 */
export function evolve(state: ControlState, logged: LoggedEvent): ControlState {
  if (logged.sequence !== state.lastSequence + 1)
    broken(`event ${logged.sequence} after ${state.lastSequence}`)
  state.lastSequence = logged.sequence
  state.now = logged.at
  const { event, at, actor } = logged
  switch (event.kind) {
    case 'organisation-created':
    case 'team-created':
    case 'user-set':
    case 'user-removed':
    case 'token-issued':
    case 'token-revoked':
    case 'queue-set':
      evolveTenancy(state, event)
      break
    case 'policy-applied':
      for (const queue of event.queues) evolveTenancy(state, { kind: 'queue-set', queue })
      if (event.policy) evolveCluster(state, { kind: 'policy-set', policy: event.policy }, at, actor)
      break
    case 'cluster-described':
    case 'policy-set':
    case 'prices-set':
    case 'reservation-made':
    case 'reservation-ended':
    case 'node-described':
    case 'node-moved':
    case 'node-contact':
    case 'node-foreign':
    case 'node-renamed':
    case 'node-removed':
      evolveCluster(state, event, at, actor)
      break
    case 'workload-submitted':
    case 'dependency-met':
    case 'start-forecast':
    case 'workload-stopping':
    case 'workload-scaled':
    case 'workload-finished':
      evolveWorkload(state, event, at)
      break
    default:
      evolveAttempt(state, event, at)
  }
  return state
}
