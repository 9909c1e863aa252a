import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractOf, createClient, OPERATIONS, type Operation } from '../../src/api/index.ts'
import { ROLES } from '../../src/model/index.ts'
import { aServer } from './running-server.ts'
import {
  CALLER_NAMES,
  CALLERS,
  type CallerName,
  makeTenants,
  submit,
  type Tenants,
  userOf,
} from './tenants.ts'

/** One way to call an operation. Whatever it names is the owner's: of organisation acme, team red. */
interface Case {
  readonly input: (tenants: Tenants, caller: CallerName) => object | Promise<object>
  /** Status of success, where it is not the contract's first. */
  readonly ok?: number
  /** Statuses that differ from what the contract's access says, because the body or the answer decides too. */
  readonly but?: Partial<Record<CallerName, number>>
}

let made = 0
const fresh = () => `acme-fresh-${++made}`
const nothing: Case = { input: () => ({}) }
const done: Case = { input: ({ done }) => ({ id: done.id }) }
const waiting: Case = { input: ({ waiting }) => ({ id: waiting.id }) }
/** A new workload of the owner's for each call, because the call changes it. */
const another = (more: object = {}): Case => ({
  input: async ({ clients }) => ({
    ...(await idOf(submit(clients.owner, { name: fresh(), gpus: 4, run: 'true' }))),
    ...more,
  }),
})
const node: Case = { input: async ({ clients }) => ({ id: await nodeInState(clients, 'ready') }) }
const order = (from: 'ready' | 'cordoned'): Case => ({
  input: async ({ clients }) => ({ id: await nodeInState(clients, from), reason: 'a test' }),
})
const spec = () => ({ type: 'train', name: fresh(), gpus: 4, run: 'true' })
/** Anybody may name one of their own; only they and who manages them may name another's. */
const ownerToken = async ({ clients }: Tenants) => {
  const { id } = await clients.owner.issueToken({ label: 'to be revoked' })
  return { id }
}
const notTheirs = {
  teammate: 404,
  otherTeam: 404,
  viewer: 404,
  foreignMember: 404,
  foreignViewer: 404,
  foreignAdmin: 404,
}

/** Edits of what is the owner's: who may change it may try that. */
const whatIfOfAcme = { otherTeam: 403, foreignMember: 404, foreignAdmin: 404 }

/** Every operation of the API. A new one without a row here is a type error, and fails the first test. */
const CASES: Record<Operation, readonly Case[]> = {
  getHealth: [nothing],
  getOpenApi: [nothing],
  getSignIn: [nothing],
  getVersion: [nothing],
  whoAmI: [nothing],
  getMetrics: [nothing],
  backUp: [nothing],
  submitWorkload: [
    { input: () => ({ spec: spec(), folder: '/', team: 'acme/red' }) },
    { input: () => ({ spec: spec(), folder: '/', team: 'acme/red', dryRun: true }), ok: 200 },
    // Nobody but the other organisation and operators can name what does not exist for them.
    { input: () => ({ spec: spec(), folder: '/', team: 'zenith/zenith-core' }), but: onlyZenith(201) },
  ],
  listWorkloads: [
    nothing,
    {
      input: () => ({ organisation: 'acme' }),
      but: { foreignMember: 404, foreignViewer: 404, foreignAdmin: 404 },
    },
  ],
  getWorkload: [done, waiting],
  stopWorkload: [another()],
  resubmitWorkload: [done],
  // It is not of type `serve`, which is found out after it was found and may be changed.
  scaleWorkload: [
    { ...another({ replicas: 2 }), but: { owner: 409, teammate: 409, admin: 409, operator: 409 } },
  ],
  explainWorkload: [done, waiting],
  listAttempts: [done, waiting],
  listRanks: [done, waiting],
  readLog: [done],
  followLog: [done],
  listEvents: [nothing, { input: ({ waiting }) => ({ workload: waiting.id }), but: foreigners(404) }],
  exportEvents: [nothing, { input: ({ waiting }) => ({ workload: waiting.id }), but: foreigners(404) }],
  exportEventsAsCsv: [nothing, { input: ({ waiting }) => ({ workload: waiting.id }), but: foreigners(404) }],
  followEvents: [
    { input: () => ({ after: 0 }) },
    { input: ({ waiting }) => ({ workload: waiting.id, after: 0 }), but: foreigners(404) },
  ],
  listNodes: [nothing],
  getNode: [node],
  getMachine: [nothing],
  followMachine: [nothing],
  cordonNode: [order('ready')],
  drainNode: [order('ready')],
  resumeNode: [order('cordoned')],
  renameNode: [
    { input: async ({ clients }) => ({ id: await nodeInState(clients, 'ready'), name: fresh() }) },
  ],
  listQueues: [nothing],
  getShareHistory: [nothing],
  listWaiting: [nothing],
  setQueue: [{ input: () => ({ id: 'acme/red', weight: 2 }) }],
  getPolicy: [nothing],
  setPolicy: [{ input: () => ({ holdDepth: 3 }) }],
  applyPolicy: [{ input: () => ({ policy: { holdDepth: 3 }, queues: { 'acme/red': { weight: 2 } } }) }],
  previewPolicy: [{ input: () => ({ holdDepth: 3 }) }],
  scoreForecasts: [nothing],
  askWhatIf: [
    { input: () => ({ edits: [{ kind: 'submit', spec: spec(), team: 'acme/red' }] }), but: whatIfOfAcme },
    {
      input: ({ waiting }) => ({ edits: [{ kind: 'stop', workload: waiting.id }] }),
      but: whatIfOfAcme,
    },
    {
      input: ({ waiting }) => ({ edits: [{ kind: 'set-priority', workload: waiting.id, priority: 'high' }] }),
      but: whatIfOfAcme,
    },
    {
      input: ({ foreign }) => ({ edits: [{ kind: 'stop', workload: [...foreign].at(-1) ?? '' }] }),
      but: { owner: 404, teammate: 404, otherTeam: 404, admin: 404 },
    },
    // What belongs to no tenant is the operators'.
    {
      input: () => ({ edits: [{ kind: 'add-nodes', count: 1 }] }),
      but: { owner: 403, teammate: 403, otherTeam: 403, admin: 403, foreignMember: 403, foreignAdmin: 403 },
    },
  ],
  planTraining: [{ input: () => ({ model: 'llama3-8b', cluster: 'nd-h100-v5:1', tokens: 1e9 }) }],
  listPlanSubjects: [nothing],
  planServing: [{ input: () => ({ model: 'llama3-8b', gpu: 'H100' }) }],
  listReservations: [nothing],
  getReservation: [
    {
      input: async ({ clients }) => reserved(clients, { owners: { queues: ['acme/red'] } }),
      but: foreigners(404),
    },
    {
      input: async ({ clients }) => reserved(clients, { owners: { users: [userOf('owner')] } }),
      but: foreigners(404),
    },
    {
      input: async ({ clients }) => reserved(clients, { owners: { queues: ['zenith/zenith-core'] } }),
      but: { ...onlyZenith(200), viewer: 404 },
    },
    { input: async ({ clients }) => reserved(clients, { kind: 'maintenance' }) },
  ],
  makeReservation: [
    { input: () => ({ ...aReservation(), kind: 'maintenance' }) },
    { input: () => ({ ...aReservation(), owners: { queues: ['acme/red'] } }) },
  ],
  cancelReservation: [
    { input: async ({ clients }) => reserved(clients, { owners: { queues: ['acme/red'] } }) },
  ],
  listOrganisations: [nothing],
  createOrganisation: [{ input: () => ({ id: fresh() }) }],
  listTeams: [nothing],
  createTeam: [{ input: () => ({ organisation: 'acme', name: fresh() }) }],
  listUsers: [nothing],
  setUser: [{ input: () => ({ id: fresh(), organisation: 'acme', teams: ['red'], role: 'member' }) }],
  removeUser: [
    {
      input: async ({ clients }) => {
        const { id } = await clients.admin.setUser({ id: fresh(), organisation: 'acme' })
        return { id }
      },
    },
  ],
  listTokens: [nothing],
  issueToken: [
    { input: () => ({ label: 'mine' }) },
    {
      input: () => ({ label: 'of the owner', user: userOf('owner') }),
      but: { teammate: 403, otherTeam: 403, viewer: 403, ...foreigners(404) },
    },
  ],
  revokeToken: [{ input: ownerToken, but: notTheirs }],
  listEndpoints: [nothing],
  getBill: [nothing, { input: () => ({ by: 'workload' }) }, { input: () => ({ by: 'user' }) }],
  exportBill: [{ input: () => ({ by: 'workload' }) }],
  getPrices: [nothing],
  setPrices: [{ input: () => ({ currency: 'EUR', perGpuHour: { H100: 2 } }) }],
  getUsage: [nothing, { input: () => ({ by: 'workload' }) }, { input: () => ({ by: 'user' }) }],
}

let madeReservations = 0
/** Each an hour of its own, far enough ahead that nothing is in its way. */
function aReservation() {
  const from = Date.now() + (1_000 + madeReservations++) * 3_600_000
  return { id: `reserved-${madeReservations}`, reason: 'a test', from, durationMs: 3_600_000, count: 1 }
}

async function reserved(clients: Tenants['clients'], more: object): Promise<{ id: string }> {
  return idOf(clients.operator.makeReservation({ ...aReservation(), ...more }))
}

function foreigners(status: number) {
  return { foreignMember: status, foreignViewer: status, foreignAdmin: status }
}

function onlyZenith(status: number) {
  return {
    owner: 404,
    teammate: 404,
    otherTeam: 404,
    admin: 404,
    foreignMember: status,
    foreignAdmin: status,
    operator: status,
  }
}

async function idOf(thing: Promise<{ readonly id: string }>): Promise<{ id: string }> {
  return { id: (await thing).id }
}

async function nodeInState(clients: Tenants['clients'], state: 'ready' | 'cordoned'): Promise<string> {
  const { items } = await clients.operator.listNodes()
  const [first] = items
  if (!first) throw new Error('there is no node')
  const { id } = first
  if (first.state !== 'ready') await clients.operator.resumeNode({ id, reason: 'a test' })
  if (state === 'cordoned') await clients.operator.cordonNode({ id, reason: 'a test' })
  return id
}

/** What the contract's `access` promises this caller for something of the owner's. */
function promised(operation: Operation, name: CallerName, success?: number): number {
  const { access, statuses } = contractOf(operation)
  const ok = success ?? statuses[0]
  const caller = CALLERS[name]
  if (access.scope === 'open') return ok
  if (!caller) return 401
  if (ROLES.indexOf(caller.role) > ROLES.indexOf(access.role)) return 403
  if (caller.role === 'operator' || access.scope === 'cluster') return ok
  if (caller.organisation !== 'acme') return 404
  return access.scope === 'team' && caller.role === 'member' && caller.team !== 'red' ? 403 : ok
}

describe('[S9] every route, for every kind of caller', () => {
  let tenants: Tenants
  beforeAll(async () => {
    tenants = await makeTenants(await aServer())
  })
  afterAll(async () => {
    for (const id of tenants.foreign) await tenants.clients.operator.stopWorkload({ id, kill: true })
    await tenants.server.remove()
  })

  test('has a row for every operation', () => {
    expect(Object.keys(CASES).sort()).toEqual([...OPERATIONS].sort())
    for (const [operation, cases] of Object.entries(CASES)) expect(cases.length, operation).toBeGreaterThan(0)
  })

  for (const operation of OPERATIONS) {
    for (const [i, { input, ok, but }] of CASES[operation].entries()) {
      test(`${operation}${i > 0 ? ` (${i + 1})` : ''}`, async () => {
        const wrong: string[] = []
        for (const name of CALLER_NAMES) {
          const expected = but?.[name] ?? promised(operation, name, ok)
          const named = await input(tenants, name)
          const { status, body } = await call(tenants, operation, name, named)
          if (status !== expected) wrong.push(`${name}: ${status}, not ${expected}: ${body.slice(0, 300)}`)
          const shown = traces(tenants, name, body).filter((trace) => !JSON.stringify(named).includes(trace))
          wrong.push(...shown.map((trace) => `${name} is shown ${trace}`))
        }
        expect(wrong).toEqual([])
      })
    }
  }

  test('what the matrix looks for is there: the foreign tenant and operators are shown it', async () => {
    for (const name of ['foreignMember', 'operator'] as const) {
      for (const operation of [
        'listWorkloads',
        'listEvents',
        'listEndpoints',
        'listNodes',
        'getMachine',
        'followMachine',
        'listReservations',
        'getUsage',
        'getBill',
      ] as const) {
        const { body } = await call(
          tenants,
          operation,
          name,
          operation === 'getUsage' || operation === 'getBill' ? { by: 'workload' } : {},
        )
        expect(foreignTraces(tenants, body), `${operation} for ${name}`).not.toEqual([])
      }
    }
    const { explanations } = await tenants.clients.operator.explainWorkload({ id: tenants.waiting.id })
    expect(foreignTraces(tenants, JSON.stringify(explanations))).not.toEqual([])
  })

  test('a name of a foreign workload is as unknown as one that nobody has', async () => {
    for (const reference of [
      'zenith-holder-0',
      [...tenants.foreign][0] ?? '',
      'nobody-has-this',
      'w999999',
    ]) {
      const { status, body } = await call(tenants, 'getWorkload', 'owner', { id: reference })
      expect(status).toBe(404)
      expect(JSON.parse(body)).toEqual({
        ...JSON.parse(body),
        detail: `There is no workload "${reference}".`,
      })
    }
  })
})

/** Through the typed client, so that paths, queries and bodies are those of the contract; streams are read until they have told something. */
async function call(tenants: Tenants, operation: Operation, name: CallerName, input: object) {
  const over = new AbortController()
  let status = 0
  let body = ''
  const client = createClient({
    baseUrl: tenants.server.url,
    token: tenants.tokens[name],
    retryPausesMs: [],
    fetch: async (address, init) => {
      const response = await fetch(address, init)
      status = response.status
      const isStream = contractOf(operation).produces.kind === 'events' && response.ok
      body = isStream ? await readSome(response, over) : await response.clone().text()
      return isStream ? new Response('', { headers: response.headers }) : response
    },
  })
  const method = client[operation] as (input: object, options: { signal: AbortSignal }) => unknown
  try {
    const answer = method(input, { signal: over.signal })
    if (contractOf(operation).produces.kind === 'events') await (answer as AsyncGenerator).next()
    else await answer
  } catch {
    // A refusal: the status tells.
  }
  return { status, body }
}

/** The stream up to its end, or to where it has told of the work that there is. */
async function readSome(response: Response, over: AbortController): Promise<string> {
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8')
    if (/^event: end$/m.test(text) || /"kind":"workload-submitted"/.test(text)) break
    if (/^event: machine\n(?:.+\n)+\n/m.test(text)) break
  }
  over.abort()
  return text
}

function traces(tenants: Tenants, name: CallerName, body: string): string[] {
  const caller = CALLERS[name]
  const maySee = caller?.role === 'operator' || caller?.organisation === 'zenith'
  return maySee ? [] : foreignTraces(tenants, body)
}

function foreignTraces({ foreign }: Tenants, body: string): string[] {
  const names = body.match(/[\w./-]*zenith[\w./-]*/g) ?? []
  const ids = [...foreign].filter((id) => new RegExp(`\\b${id}\\b`).test(body))
  return [...new Set([...names, ...ids])]
}
