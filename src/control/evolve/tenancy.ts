import { unreachable } from '../../base/index.ts'
import type { Event } from '../event.ts'
import type { ControlState } from '../state.ts'

type TenancyEvent = Extract<
  Event,
  {
    kind:
      | 'organisation-created'
      | 'team-created'
      | 'user-set'
      | 'user-removed'
      | 'token-issued'
      | 'token-revoked'
      | 'queue-set'
  }
>

/** Who there is, how they prove it, and which queues they have. */
export function evolveTenancy(state: ControlState, event: TenancyEvent): void {
  switch (event.kind) {
    case 'organisation-created':
      state.organisations.set(event.organisation, { id: event.organisation })
      return
    case 'team-created':
      state.teams.set(event.team.id, event.team)
      return
    case 'user-set':
      state.users.set(event.user.id, event.user)
      return
    case 'user-removed':
      state.users.delete(event.user)
      for (const [sha256, token] of state.tokens) if (token.user === event.user) state.tokens.delete(sha256)
      return
    case 'token-issued':
      state.tokens.set(event.token.sha256, event.token)
      return
    case 'token-revoked':
      state.tokens.delete(event.sha256)
      return
    case 'queue-set':
      state.queues.set(event.queue.id, event.queue)
      state.derived.machine.setQueue(event.queue)
      return
    default:
      unreachable(event)
  }
}
