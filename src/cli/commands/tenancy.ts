import { parseDuration } from '../../base/index.ts'
import { ROLES, type Role } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderTable } from '../render/table.ts'
import { fromNow } from '../render/values.ts'

export async function listOrganisations(cli: Cli): Promise<void> {
  const list = await (await cli.client()).listOrganisations()
  cli.print(list, () => renderTable(cli, [{ title: 'ORGANISATION', cell: ({ id }) => id }], list.items))
}

export async function createOrganisation(cli: Cli, id: string): Promise<void> {
  const organisation = await (await cli.client()).createOrganisation({ id })
  cli.print(organisation, () => `Organisation ${organisation.id} made, with a queue of the same name.`)
}

export async function listTeams(cli: Cli): Promise<void> {
  const list = await (await cli.client()).listTeams()
  cli.print(list, () =>
    renderTable(
      cli,
      [
        { title: 'TEAM', cell: ({ id }) => id },
        { title: 'ORGANISATION', cell: ({ organisation }) => organisation },
      ],
      list.items,
    ),
  )
}

/** Makes the team `organisation/team`, or `team` in the caller's own organisation. */
export async function createTeam(cli: Cli, full: string): Promise<void> {
  const client = await cli.client()
  const [first = '', second] = full.split('/', 2)
  const organisation = second === undefined ? (await client.whoAmI()).user.organisation : first
  const team = await client.createTeam({ organisation, name: second ?? first })
  cli.print(team, () => `Team ${team.id} made, with a queue of the same name.`)
}

export async function listUsers(cli: Cli): Promise<void> {
  const list = await (await cli.client()).listUsers()
  cli.print(list, () =>
    renderTable(
      cli,
      [
        { title: 'USER', cell: ({ id }) => id },
        { title: 'ORGANISATION', cell: ({ organisation }) => organisation },
        { title: 'ROLE', cell: ({ role }) => role },
        { title: 'TEAMS', cell: ({ teams }) => teams.join(', '), shrinksTo: 12 },
      ],
      list.items,
    ),
  )
}

export interface UserOptions {
  readonly organisation?: string
  readonly team?: readonly string[]
  readonly role?: string
}

/** Makes a user or changes one; what is left out stays, and for a new user is the caller's organisation and `member`. */
export async function setUser(cli: Cli, id: string, options: UserOptions): Promise<void> {
  const client = await cli.client()
  const role = options.role === undefined ? undefined : knownRole(options.role)
  const before = (await client.listUsers()).items.find((user) => user.id === id)
  const organisation =
    options.organisation ?? before?.organisation ?? (await client.whoAmI()).user.organisation
  const user = await client.setUser({
    id,
    organisation,
    teams: [...(options.team ?? before?.teams ?? [])],
    role: role ?? before?.role ?? 'member',
  })
  cli.print(user, () =>
    [
      `${user.id} is a ${user.role} of ${user.organisation}${user.teams.length > 0 ? `, in ${user.teams.join(', ')}` : ', in no team yet'}.`,
      ...(before ? [] : [`Next: banyan tokens issue --user ${user.id} --label laptop`]),
    ].join('\n'),
  )
}

function knownRole(name: string): Role {
  const role = ROLES.find((known) => known === name)
  if (role) return role
  throw new CliFailure(
    'usage',
    `"${name}" is no role${didYouMean(name, ROLES)}`,
    `Roles: ${ROLES.join(', ')}.`,
  )
}

export async function removeUser(cli: Cli, id: string): Promise<void> {
  const user = await (await cli.client()).removeUser({ id })
  cli.print(user, () => `${user.id} is removed and their tokens are revoked; their workloads go on.`)
}

export async function listTokens(cli: Cli): Promise<void> {
  const list = await (await cli.client()).listTokens()
  const now = cli.now()
  cli.print(list, () =>
    renderTable(
      cli,
      [
        { title: 'TOKEN', cell: ({ id }) => id },
        { title: 'USER', cell: ({ user }) => user },
        { title: 'LABEL', cell: ({ label }) => label, shrinksTo: 12 },
        {
          title: 'EXPIRES',
          cell: ({ expiresAt }) => (expiresAt === undefined ? 'never' : fromNow(expiresAt, now)),
        },
      ],
      list.items,
    ),
  )
}

export interface TokenOptions {
  readonly user?: string
  readonly label?: string
  readonly expires?: string
}

/** Issues a token and prints its secret, which nobody can be shown again. */
export async function issueToken(cli: Cli, options: TokenOptions): Promise<void> {
  const span = options.expires === undefined ? undefined : spanOf(options.expires)
  const client = await cli.client()
  // An end is meant by the server's clock, which any answer tells.
  if (span !== undefined) await client.getHealth()
  const token = await client.issueToken({
    user: options.user,
    label: options.label ?? 'made by banyan tokens issue',
    expiresAt: span === undefined ? undefined : cli.now() + span,
  })
  cli.note(`Token of ${token.user}; it is shown this once. Use it as BANYAN_TOKEN.`)
  cli.print(token, () => token.secret)
}

function spanOf(text: string): number {
  const parsed = parseDuration(text)
  if (parsed.ok) return parsed.value
  throw new CliFailure('usage', `--expires: ${parsed.error}`)
}

export async function revokeToken(cli: Cli, id: string): Promise<void> {
  const token = await (await cli.client()).revokeToken({ id })
  cli.print(token, () => `Token ${token.id} (${token.label}) of ${token.user} is revoked.`)
}
