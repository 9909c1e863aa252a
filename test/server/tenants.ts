import type { Client, WorkloadView } from '../../src/api/index.ts'
import type { RunningServer } from './running-server.ts'
import { whenIn } from './running-server.ts'

/** Two organisations. Whatever belongs to the second has `zenith` in its name, so that any trace of it is found. */
export const CALLERS = {
  nobody: undefined,
  owner: { organisation: 'acme', team: 'red', role: 'member' },
  teammate: { organisation: 'acme', team: 'red', role: 'member' },
  otherTeam: { organisation: 'acme', team: 'blue', role: 'member' },
  viewer: { organisation: 'acme', team: 'red', role: 'viewer' },
  admin: { organisation: 'acme', team: 'red', role: 'admin' },
  foreignMember: { organisation: 'zenith', team: 'zenith-core', role: 'member' },
  foreignViewer: { organisation: 'zenith', team: 'zenith-core', role: 'viewer' },
  foreignAdmin: { organisation: 'zenith', team: 'zenith-core', role: 'admin' },
  operator: { organisation: 'default', team: 'default', role: 'operator' },
} as const
export type CallerName = keyof typeof CALLERS
export const CALLER_NAMES = Object.keys(CALLERS) as readonly CallerName[]

export interface Tenants {
  readonly server: RunningServer
  readonly tokens: Readonly<Record<CallerName, string | undefined>>
  readonly clients: Readonly<Record<Exclude<CallerName, 'nobody'>, Client>>
  /** The owner's, finished, with an attempt and a log. */
  readonly done: WorkloadView
  /** The owner's, queued behind the foreign tenant's work. */
  readonly waiting: WorkloadView
  /** Ids of everything that the foreign tenant has submitted. */
  readonly foreign: ReadonlySet<string>
}

export function userOf(caller: CallerName): string {
  const { organisation } = CALLERS[caller] ?? { organisation: '' }
  return caller === 'operator' ? 'operator' : `${organisation}-${caller.toLowerCase()}`
}

/** Users, queues and work of both organisations: the foreign one holds the whole machine and is first in its queue. */
export async function makeTenants(server: RunningServer): Promise<Tenants> {
  const operator = server.client()
  for (const organisation of ['acme', 'zenith']) await operator.createOrganisation({ id: organisation })
  const teams = new Set(
    Object.values(CALLERS)
      .flatMap((caller) => caller ?? [])
      .map(({ organisation, team }) => `${organisation}/${team}`),
  )
  for (const team of teams) {
    const [organisation = '', name = ''] = team.split('/')
    if (organisation !== 'default') await operator.createTeam({ organisation, name })
  }
  const tokens: Record<string, string | undefined> = { nobody: undefined, operator: server.token }
  const clients: Record<string, Client> = { operator }
  for (const name of CALLER_NAMES) {
    const caller = CALLERS[name]
    if (!caller || name === 'operator') continue
    const { organisation, team, role } = caller
    await operator.setUser({ id: userOf(name), organisation, teams: [team], role })
    const { secret } = await operator.issueToken({ user: userOf(name), label: `for ${userOf(name)}` })
    tokens[name] = secret
    clients[name] = server.client(secret)
  }
  const all = clients as Tenants['clients']

  const done = await submit(all.owner, { name: 'acme-done', gpus: 1, run: 'echo from acme' })
  await whenIn(all.owner, done.id, 'succeeded')
  const foreign = new Set<string>()
  for (let i = 0; i < 4; i++) {
    const holder = await submit(all.foreignMember, {
      name: `zenith-holder-${i}`,
      gpus: 1,
      run: ': zenith; sleep 600',
    })
    await whenIn(all.foreignMember, holder.id, 'running')
    foreign.add(holder.id)
  }
  const first = {
    name: 'zenith-first',
    gpus: 4,
    priority: 'critical',
    run: ': zenith; sleep 600',
    time: '1h',
  }
  foreign.add((await submit(all.foreignMember, first)).id)
  const model = {
    type: 'serve',
    name: 'zenith-served',
    model: 'zenith-model',
    gpus: 1,
    run: ': zenith; sleep 600',
  }
  foreign.add((await submit(all.foreignMember, model)).id)
  await operator.makeReservation({
    id: 'zenith-window',
    reason: 'of zenith',
    count: 1,
    from: Date.now() + 900 * 3_600_000,
    durationMs: 3_600_000,
    owners: { queues: ['zenith/zenith-core'], users: [userOf('foreignMember')] },
  })
  const waiting = await submit(all.owner, { name: 'acme-waiting', gpus: 2, run: 'true' })
  return { server, tokens: tokens as Tenants['tokens'], clients: all, done, waiting, foreign }
}

export async function submit(client: Client, spec: Record<string, unknown>): Promise<WorkloadView> {
  const { workloads } = await client.submitWorkload({ spec: { type: 'train', ...spec }, folder: '/' })
  const [workload] = workloads
  if (!workload) throw new Error('nothing was made')
  return workload
}
