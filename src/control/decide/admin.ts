import { sameJson, unreachable } from '../../base/index.ts'
import { openQueue, queueOfOrganisation, queueOfTeam, withPriceList } from '../../model/index.ts'
import type { Command, PolicyAndQueues } from '../command.ts'
import type { Rejection } from '../effect.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { badName, NAME } from './names.ts'
import { checkQueue, checkQueues } from './queues.ts'

type AdminCommand = Extract<
  Command,
  {
    kind:
      | 'create-organisation'
      | 'create-team'
      | 'set-user'
      | 'remove-user'
      | 'issue-token'
      | 'revoke-token'
      | 'set-queue'
      | 'set-policy'
      | 'apply-policy'
      | 'set-prices'
  }
>

/** Changes who may use the machine and by which rules. Each new organisation and team gets an open queue. */
export function decideAdmin(recorder: Recorder, command: AdminCommand): Rejection | undefined {
  const { state } = recorder
  switch (command.kind) {
    case 'create-organisation': {
      if (!NAME.test(command.organisation)) return badName('organisation', command.organisation)
      if (state.organisations.has(command.organisation)) {
        return {
          code: 'already-exists',
          message: `The organisation "${command.organisation}" exists already.`,
        }
      }
      recorder.emit({ kind: 'organisation-created', organisation: command.organisation })
      recorder.emit({ kind: 'queue-set', queue: openQueue(queueOfOrganisation(command.organisation)) })
      return undefined
    }
    case 'create-team': {
      const { id, organisation } = command.team
      const name = id.slice(organisation.length + 1)
      if (!NAME.test(name)) return badName('team', name)
      if (!state.organisations.has(organisation)) return noOrganisation(organisation)
      if (state.teams.has(id)) return { code: 'already-exists', message: `The team "${id}" exists already.` }
      recorder.emit({ kind: 'team-created', team: command.team })
      recorder.emit({
        kind: 'queue-set',
        queue: openQueue(queueOfTeam(id), queueOfOrganisation(organisation)),
      })
      return undefined
    }
    case 'set-user': {
      const { user } = command
      if (!NAME.test(user.id)) return badName('user', user.id)
      if (!state.organisations.has(user.organisation)) return noOrganisation(user.organisation)
      const unknown = user.teams.find((team) => state.teams.get(team)?.organisation !== user.organisation)
      if (unknown) {
        return {
          code: 'no-such-team',
          message: `There is no team "${unknown}" in ${user.organisation}. Create it first.`,
        }
      }
      recorder.emit({ kind: 'user-set', user })
      return undefined
    }
    case 'remove-user':
      if (!state.users.has(command.user)) {
        return { code: 'no-such-user', message: `There is no user "${command.user}".` }
      }
      recorder.emit({ kind: 'user-removed', user: command.user })
      return undefined
    case 'issue-token':
      if (!state.users.has(command.token.user)) {
        return {
          code: 'no-such-user',
          message: `There is no user "${command.token.user}" to give a token to.`,
        }
      }
      recorder.emit({ kind: 'token-issued', token: command.token })
      return undefined
    case 'revoke-token':
      if (!state.tokens.has(command.sha256)) {
        return { code: 'no-such-token', message: 'There is no such token; it may have been revoked already.' }
      }
      recorder.emit({ kind: 'token-revoked', sha256: command.sha256 })
      return undefined
    case 'set-queue': {
      const refusal = checkQueue(state, command.queue)
      if (refusal) return refusal
      recorder.emit({ kind: 'queue-set', queue: command.queue })
      return undefined
    }
    case 'set-policy':
      recorder.emit({ kind: 'policy-set', policy: command.policy })
      return undefined
    case 'apply-policy': {
      const { policy, queues, replaces } = command
      const refusal = checkReplaced(state, replaces) ?? checkQueues(state, queues)
      if (refusal) return refusal
      recorder.emit({ kind: 'policy-applied', queues, ...(policy && { policy }) })
      return undefined
    }
    case 'set-prices': {
      const refusal = checkCurrency(state, command)
      if (refusal) return refusal
      recorder.emit({
        kind: 'prices-set',
        prices: withPriceList(state.prices, command.currency, command.list),
      })
      return undefined
    }
    default:
      return unreachable(command)
  }
}

/** What is written over must still be what the change was made from. */
function checkReplaced(state: ControlState, replaces: PolicyAndQueues): Rejection | undefined {
  const isSame = (before: unknown, now: unknown) => sameJson(before, now)
  const changed = replaces.queues.find((queue) => !isSame(queue, state.queues.get(queue.id)))
  if (!changed && (!replaces.policy || isSame(replaces.policy, state.policy))) return undefined
  return {
    code: 'stale',
    message: `${changed ? `The queue "${changed.id}"` : 'The policy'} was changed meanwhile. Nothing was changed by this; look at the preview again.`,
  }
}

/** One bill has one currency, so it changes only together with every price. */
function checkCurrency(
  { prices }: ControlState,
  { currency, list }: Extract<AdminCommand, { kind: 'set-prices' }>,
): Rejection | undefined {
  const stay = prices.lists.filter(({ since }) => since < list.since)
  if (stay.length === 0 || currency === prices.currency) return undefined
  return {
    code: 'invalid-prices',
    message: `The prices before that are in ${prices.currency}, and a bill has one currency. Give prices in ${prices.currency}, or new ones from the beginning (since 0), which replace all.`,
  }
}

function noOrganisation(organisation: string): Rejection {
  return {
    code: 'no-such-organisation',
    message: `There is no organisation "${organisation}". Create it first.`,
  }
}
