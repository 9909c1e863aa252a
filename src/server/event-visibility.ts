import type { AttemptId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Event, LoggedEvent } from '../control/index.ts'
import type { Owner } from '../model/index.ts'
import { maySee } from './caller.ts'
import type { CallContext } from './context.ts'
import { organisationOfQueue } from './views.ts'

/** Whether the caller may see this event: their organisation's, and what belongs to no tenant (S9). */
export async function eventIsVisible(context: CallContext, { event }: LoggedEvent): Promise<boolean> {
  const { user } = context.caller
  if (user.role === 'operator') return true
  switch (event.kind) {
    case 'cluster-described':
    case 'node-described':
    case 'node-moved':
    case 'node-contact':
    case 'node-removed':
    case 'policy-set':
      return true
    case 'organisation-created':
      return event.organisation === user.organisation
    case 'team-created':
      return event.team.organisation === user.organisation
    case 'user-set':
      return event.user.organisation === user.organisation
    case 'queue-set':
      return organisationOfQueue(event.queue.id) === user.organisation
    case 'user-removed':
    case 'token-issued':
    case 'token-revoked':
    case 'hold-released':
      return false
    default: {
      const owner = await ownerOf(context, workloadOfEvent(event))
      return owner !== undefined && maySee(user, owner)
    }
  }
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

async function ownerOf(context: CallContext, workload: WorkloadId | undefined): Promise<Owner | undefined> {
  if (workload === undefined) return undefined
  const live = context.ledger.state.workloads.get(workload)
  return (live ?? (await context.store.workload(workload)))?.owner
}
