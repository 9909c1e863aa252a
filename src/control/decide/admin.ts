import { unreachable } from '../../base/index.ts'
import type { Queue } from '../../model/index.ts'
import { openQueue, queueOfOrganisation, queueOfTeam } from '../../model/index.ts'
import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { badName, NAME } from './names.ts'

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
    default:
      return unreachable(command)
  }
}

/** A guarantee that the parent cannot back, or that the queue's own limit contradicts, would be a promise that is broken. */
function checkQueue(state: ControlState, queue: Queue): Rejection | undefined {
  const known = state.queues.get(queue.id)
  if (!known) {
    return {
      code: 'no-such-queue',
      message: `There is no queue "${queue.id}". Queues are made with their organisation or team; yours are: ${[...state.queues.keys()].sort().join(', ') || 'none'}.`,
    }
  }
  if (queue.parent !== known.parent) {
    return {
      code: 'invalid-queue',
      message: `The parent of "${queue.id}" is ${known.parent ?? 'the root'} and cannot be changed.`,
    }
  }
  if (queue.limitGpus !== undefined && queue.limitGpus < queue.guaranteedGpus) {
    return {
      code: 'invalid-queue',
      message: `"${queue.id}" would be guaranteed ${queue.guaranteedGpus} GPUs but limited to ${queue.limitGpus}. Raise the limit or lower the guarantee.`,
    }
  }
  const parent = queue.parent ? state.queues.get(queue.parent) : undefined
  if (parent) {
    let promised = queue.guaranteedGpus
    for (const sibling of state.queues.values()) {
      if (sibling.parent === parent.id && sibling.id !== queue.id) promised += sibling.guaranteedGpus
    }
    if (promised > parent.guaranteedGpus) {
      return {
        code: 'invalid-queue',
        message: `The queues under "${parent.id}" would be guaranteed ${promised} GPUs together, but "${parent.id}" itself has ${parent.guaranteedGpus}. Raise its guarantee first.`,
      }
    }
  }
  return undefined
}

function noOrganisation(organisation: string): Rejection {
  return {
    code: 'no-such-organisation',
    message: `There is no organisation "${organisation}". Create it first.`,
  }
}
