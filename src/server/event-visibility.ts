import type { AttemptId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Event, LoggedEvent } from '../control/index.ts'
import type { Owner } from '../model/index.ts'
import { maySee } from '../model/index.ts'
import type { CallContext } from './context.ts'
import { concerns, ownersAsSeen } from './reservations.ts'
import { organisationOfQueue } from './views.ts'

/** Owners of workloads that are no longer live come from the store; so many are kept at hand. */
const OWNERS_KEPT = 10_000

type Owners = Map<WorkloadId, Owner | undefined>

/**
 * What the caller may see of one event after another: what is their organisation's or no tenant's, without what it
 * says of others' work; undefined where that is nothing (S9).
 */
export function eventsAsSeen(
  context: CallContext,
): (logged: LoggedEvent) => Promise<LoggedEvent | undefined> {
  const owners: Owners = new Map()
  return async (logged) => {
    if (context.caller.user.role === 'operator') return logged
    if (!(await isVisible(context, owners, logged.event))) return undefined
    return { ...logged, event: await withoutOthers(context, owners, logged.event) }
  }
}

async function isVisible(context: CallContext, owners: Owners, event: Event): Promise<boolean> {
  const { user } = context.caller
  switch (event.kind) {
    case 'cluster-described':
    case 'node-described':
    case 'node-moved':
    case 'node-contact':
    case 'node-foreign':
    case 'node-renamed':
    case 'node-removed':
    case 'policy-set':
    case 'policy-applied':
    case 'prices-set':
      return true
    case 'organisation-created':
      return event.organisation === user.organisation
    case 'team-created':
      return event.team.organisation === user.organisation
    case 'user-set':
      return event.user.organisation === user.organisation
    case 'queue-set':
      return organisationOfQueue(event.queue.id) === user.organisation
    case 'reservation-made':
      return concerns(context.ledger.state, user, event.reservation)
    case 'reservation-ended':
      return concerns(context.ledger.state, user, event)
    case 'user-removed':
    case 'token-issued':
    case 'token-revoked':
    case 'hold-released':
      return false
    default:
      return maySeeWorkload(context, owners, workloadOfEvent(event))
  }
}

/** The event without the ids of work that the caller may not see: whom an eviction is for, whose end a hold awaits. */
async function withoutOthers(context: CallContext, owners: Owners, event: Event): Promise<Event> {
  if (event.kind === 'attempt-stopping' && event.stop.for !== undefined) {
    if (await maySeeWorkload(context, owners, event.stop.for)) return event
    const { for: _hidden, ...stop } = event.stop
    return { ...event, stop }
  }
  if (event.kind === 'reservation-made' && event.reservation.owners) {
    const owners = ownersAsSeen(context.ledger.state, context.caller.user, event.reservation.owners)
    return { ...event, reservation: { ...event.reservation, owners } }
  }
  if (event.kind === 'reservation-ended' && event.owners)
    return { ...event, owners: ownersAsSeen(context.ledger.state, context.caller.user, event.owners) }
  if (event.kind === 'policy-applied') {
    const { organisation } = context.caller.user
    return { ...event, queues: event.queues.filter(({ id }) => organisationOfQueue(id) === organisation) }
  }
  if (event.kind === 'hold-placed') {
    const waitsFor: AttemptId[] = []
    for (const attempt of event.hold.waitsFor) {
      if (await maySeeWorkload(context, owners, workloadOfAttempt(attempt))) waitsFor.push(attempt)
    }
    return { ...event, hold: { ...event.hold, waitsFor } }
  }
  return event
}

/** The workload that the event is about, or undefined. */
export function workloadOfEvent(event: Event): WorkloadId | undefined {
  if ('workload' in event) return event.workload
  if ('hold' in event && typeof event.hold === 'object') return event.hold.workload
  return 'attempt' in event ? workloadOfAttempt(event.attempt) : undefined
}

/** Attempts are named after their workload: `w17.2` belongs to `w17`. */
function workloadOfAttempt(attempt: AttemptId): WorkloadId {
  return id<WorkloadId>(attempt.slice(0, attempt.lastIndexOf('.')))
}

async function maySeeWorkload(
  { ledger, store, caller }: CallContext,
  owners: Owners,
  workload: WorkloadId | undefined,
): Promise<boolean> {
  if (workload === undefined) return false
  let owner = ledger.state.workloads.get(workload)?.owner ?? owners.get(workload)
  if (!owner) {
    owner = (await store.workload(workload))?.owner
    if (owners.size >= OWNERS_KEPT) owners.clear()
    owners.set(workload, owner)
  }
  return owner !== undefined && maySee(caller.user, owner)
}
