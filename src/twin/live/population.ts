import type { OrganisationId, TeamId, UserId } from '../../base/index.ts'
import { id, present } from '../../base/index.ts'
import type { Command } from '../../control/index.ts'
import type { Owner, Queue, User } from '../../model/index.ts'
import { openQueue, queueOfOrganisation, queueOfTeam, teamId } from '../../model/index.ts'
import names from '../data/live-names.json' with { type: 'json' }

/** One team with its people and its part of the machine. */
export interface LiveTeam {
  readonly id: TeamId
  readonly organisation: OrganisationId
  readonly users: readonly UserId[]
  readonly guaranteedGpus: number
}

/** Of the machine's GPUs, what is guaranteed to somebody; the rest goes to whoever is first. */
const GUARANTEED_SHARE = 0.75

/** The teams of a machine of so many GPUs, the busiest first; the busier, the more it is guaranteed. */
export function liveTeams(count: number, gpuCount: number): LiveTeam[] {
  const { organisations, teams, users } = names
  const weights = Array.from({ length: count }, (_, i) => 1 / Math.sqrt(i + 1))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight, i) => {
    const organisation = id<OrganisationId>(organisations[i % organisations.length]!)
    const round = Math.floor(i / organisations.length)
    const name = `${teams[i % teams.length]}${i < teams.length ? '' : `-${Math.floor(i / teams.length) + 1}`}`
    const of = (n: number) => users[(i * 5 + n * 3 + round) % users.length]!
    return {
      id: teamId(organisation, name),
      organisation,
      users: [0, 1, 2, 3, 4].map((n) => id<UserId>(`${of(n)}-${name}`)),
      guaranteedGpus: Math.floor((gpuCount * GUARANTEED_SHARE * weight) / sum),
    }
  })
}

/** What founds them: organisations, teams, users with an admin for each organisation, and queues with guarantees. */
export function foundingCommands(teams: readonly LiveTeam[]): Command[] {
  const commands: Command[] = []
  const organisations = [...new Set(teams.map(({ organisation }) => organisation))]
  for (const organisation of organisations) {
    const own = teams.filter((team) => team.organisation === organisation)
    const guaranteedGpus = own.reduce((gpus, team) => gpus + team.guaranteedGpus, 0)
    const queue = queueOfOrganisation(organisation)
    commands.push(
      { kind: 'create-organisation', organisation },
      {
        kind: 'set-queue',
        queue: { ...openQueue(queue), guaranteedGpus, weight: own.length } satisfies Queue,
      },
      ...own.flatMap((team) => foundingOfTeam(team)),
      { kind: 'set-user', user: aUser(id<UserId>(`admin-${organisation}`), organisation, own, 'admin') },
    )
  }
  return commands
}

function foundingOfTeam(team: LiveTeam): Command[] {
  const { id: name, organisation, users, guaranteedGpus } = team
  const queue = openQueue(queueOfTeam(name), queueOfOrganisation(organisation))
  return [
    { kind: 'create-team', team: { id: name, organisation } },
    { kind: 'set-queue', queue: { ...queue, guaranteedGpus } },
    ...users.map(
      (user): Command => ({ kind: 'set-user', user: aUser(user, organisation, [team], 'member') }),
    ),
  ]
}

function aUser(
  user: UserId,
  organisation: OrganisationId,
  teams: readonly LiveTeam[],
  role: User['role'],
): User {
  return { id: user, organisation, teams: teams.map((team) => team.id), role }
}

export function ownerIn(team: LiveTeam, user: number): Owner {
  const { organisation, id: teamOf, users } = team
  return { organisation, team: teamOf, user: present(users[user % users.length], `user ${user}`) }
}
