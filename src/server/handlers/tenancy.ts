import type { OrganisationId, TeamId, UserId } from '../../base/index.ts'
import { compareIds, id } from '../../base/index.ts'
import type { Role, Token, User } from '../../model/index.ts'
import { ROLES, teamId } from '../../model/index.ts'
import { hasRole, newSecret, sha256 } from '../caller.ts'
import type { CallContext } from '../context.ts'
import { execute } from '../find.ts'
import { ProblemError } from '../problem-error.ts'
import { tokenView } from '../token-view.ts'
import type { HandlersOf } from './part.ts'

export const tenancyHandlers: HandlersOf<
  | 'listOrganisations'
  | 'createOrganisation'
  | 'listTeams'
  | 'createTeam'
  | 'listUsers'
  | 'setUser'
  | 'removeUser'
  | 'listTokens'
  | 'issueToken'
  | 'revokeToken'
> = {
  listOrganisations: async (_input, { ledger, caller }) => ({
    items: sorted([...ledger.state.organisations.values()].filter(({ id }) => reaches(caller.user, id))),
  }),
  createOrganisation: async (input, context) => {
    const organisation = id<OrganisationId>(input.id)
    await execute(context, { kind: 'create-organisation', organisation })
    return { id: organisation }
  },
  listTeams: async (_input, { ledger, caller }) => ({
    items: sorted([...ledger.state.teams.values()].filter((team) => reaches(caller.user, team.organisation))),
  }),
  createTeam: async (input, context) => {
    const organisation = reachable(context, input.organisation)
    const team = { id: teamId(organisation, input.name), organisation }
    await execute(context, { kind: 'create-team', team })
    return team
  },
  listUsers: async (_input, { ledger, caller }) => ({
    items: sorted([...ledger.state.users.values()].filter((user) => reaches(caller.user, user.organisation))),
  }),
  setUser: async (input, context) => {
    const organisation = reachable(context, input.organisation)
    const before = context.ledger.state.users.get(id<UserId>(input.id))
    if (before && !reaches(context.caller.user, before.organisation)) {
      throw new ProblemError('already-exists', `The name "${input.id}" is taken.`, {
        hint: 'Choose another.',
      })
    }
    mayGive(context, input.role)
    if (before) mayGive(context, before.role)
    const user: User = {
      id: id<UserId>(input.id),
      organisation,
      teams: input.teams.map((team) => fullTeamId(organisation, team)),
      role: input.role,
      ...(before?.signIn ? { signIn: before.signIn } : {}),
    }
    await execute(context, { kind: 'set-user', user })
    return user
  },
  removeUser: async (input, context) => {
    const user = findUser(context, input.id)
    mayGive(context, user.role)
    if (user.id === context.caller.user.id) {
      throw new ProblemError('wrong-state', 'You cannot remove yourself.', {
        hint: 'Ask another operator or admin.',
      })
    }
    await execute(context, { kind: 'remove-user', user: user.id })
    return user
  },
  listTokens: async (_input, { ledger, caller }) => ({
    items: [...ledger.state.tokens.values()]
      .filter((token) => managesToken(caller.user, ledger.state.users.get(token.user)))
      .map(tokenView)
      .sort((a, b) => compareIds(a.user, b.user) || compareIds(a.id, b.id)),
  }),
  issueToken: async (input, context) => {
    const user = input.user === undefined ? context.caller.user : findUser(context, input.user)
    if (!managesToken(context.caller.user, user)) throw notYours(`give ${user.id} a token`)
    const secret = newSecret()
    const token: Token = {
      sha256: sha256(secret),
      user: user.id,
      label: input.label,
      ...(input.expiresAt !== undefined ? { expiresAt: input.expiresAt } : {}),
    }
    await execute(context, { kind: 'issue-token', token })
    return { ...tokenView(token), secret }
  },
  revokeToken: async (input, context) => {
    const { state } = context.ledger
    const token = [...state.tokens.values()].find((candidate) => candidate.sha256.startsWith(input.id))
    if (!token || input.id.length < 8 || !managesToken(context.caller.user, state.users.get(token.user))) {
      throw new ProblemError('not-found', `There is no token "${input.id}".`, {
        hint: 'banyan tokens lists yours.',
      })
    }
    await execute(context, { kind: 'revoke-token', sha256: token.sha256 })
    return tokenView(token)
  },
}

function reaches(user: User, organisation: string): boolean {
  return user.role === 'operator' || user.organisation === organisation
}

function reachable({ caller, ledger }: CallContext, organisation: string): OrganisationId {
  const found = ledger.state.organisations.get(id<OrganisationId>(organisation))
  if (found && reaches(caller.user, found.id)) return found.id
  throw new ProblemError('not-found', `There is no organisation "${organisation}".`)
}

function findUser({ ledger, caller }: CallContext, name: string): User {
  const user = ledger.state.users.get(id<UserId>(name))
  if (user && reaches(caller.user, user.organisation)) return user
  throw new ProblemError('not-found', `There is no user "${name}".`)
}

/** Nobody hands out more power than they have, nor takes it from those who have more. */
function mayGive({ caller }: CallContext, role: Role): void {
  if (ROLES.indexOf(role) >= ROLES.indexOf(caller.user.role)) return
  throw notYours(`give or take the role ${role}, being ${caller.user.role}`)
}

/** One's own tokens; admins those of their organisation's users, operators any; never those of somebody more powerful. */
function managesToken(caller: User, holder: User | undefined): boolean {
  if (!holder) return caller.role === 'operator'
  if (holder.id === caller.id) return true
  return (
    hasRole(caller, 'admin') &&
    reaches(caller, holder.organisation) &&
    ROLES.indexOf(holder.role) >= ROLES.indexOf(caller.role)
  )
}

function notYours(what: string): ProblemError {
  return new ProblemError('forbidden', `You may not ${what}.`, { hint: 'Ask an operator.' })
}

function fullTeamId(organisation: OrganisationId, team: string): TeamId {
  return team.includes('/') ? id<TeamId>(team) : teamId(organisation, team)
}

function sorted<Item extends { readonly id: string }>(items: Item[]): Item[] {
  return items.sort((a, b) => compareIds(a.id, b.id))
}
