import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { submit } from './tenants.ts'

let server: RunningServer
let operator: Client
let acme: Client
let zenith: Client
beforeAll(async () => {
  server = await aServer({ slots: 4 })
  operator = server.client()
  acme = await aMember('acme')
  zenith = await aMember('zenith')
})
afterAll(() => server.remove())

test('[S9] work whose end would make room is counted, and named to nobody who may not see it', async () => {
  const small = await submit(acme, { name: 'acme-small', gpus: 4, preemptible: true, run: 'sleep 600' })
  await whenIn(acme, small.id, 'running')
  const large = await submit(zenith, { name: 'zenith-large', gpus: 4, priority: 'high', run: 'true' })
  const evictingOf = async (client: Client) => {
    const { explanations } = await client.explainWorkload({ id: large.id })
    return explanations[0]?.counterfactuals.find(({ change }) => change.kind === 'evict-lower-priority')
  }

  expect(await evictingOf(operator)).toMatchObject({ change: { workloads: [small.id] } })
  const asTenant = await evictingOf(zenith)
  expect(asTenant).toMatchObject({ change: { workloads: [] } })
  expect(asTenant?.message).toMatch(/one workload|1 workload/)

  for (const { id } of [small, large]) await operator.stopWorkload({ id })
  await whenIn(operator, small.id, 'cancelled')
})

test('[S3][S9] a borrower learns that its work was evicted, and the lender that it got its own, but neither for whom nor of whom', async () => {
  await operator.setQueue({ id: 'zenith', guaranteedGpus: 2 })
  await operator.setPolicy({ reclaimGraceMs: 0, evictionGraceMs: 1_000, minimumRunMs: 0 })

  const borrower = await submit(acme, { name: 'acme-borrows', gpus: 4, preemptible: true, run: 'sleep 600' })
  await whenIn(acme, borrower.id, 'running')
  const lender = await submit(zenith, { name: 'zenith-claims', gpus: 2, run: 'sleep 600', time: '1h' })
  await whenIn(zenith, lender.id, 'running')

  const stopOf = async (client: Client) =>
    (await client.listAttempts({ id: borrower.id })).items.map(({ outcome, stop }) => ({ outcome, stop }))
  const [asOperator] = await stopOf(operator)
  expect(asOperator).toMatchObject({ outcome: 'preempted', stop: { reason: 'preempted', for: lender.id } })
  const [asBorrower] = await stopOf(acme)
  expect(asBorrower).toMatchObject({ outcome: 'preempted', stop: { reason: 'preempted' } })

  await expect(acme.getWorkload({ id: lender.id })).rejects.toMatchObject({ status: 404 })
  const seenByBorrower = await everythingOf(acme, borrower.id)
  expect(seenByBorrower).toContain('attempt-stopping')
  expect(mentions(seenByBorrower, lender.id, 'zenith')).toEqual([])
  const seenByLender = await everythingOf(zenith, lender.id)
  expect(seenByLender).toContain('hold-placed')
  expect(mentions(seenByLender, borrower.id, 'acme')).toEqual([])
})

async function aMember(organisation: string): Promise<Client> {
  await operator.createOrganisation({ id: organisation })
  await operator.createTeam({ organisation, name: 'core' })
  const user = `${organisation}-member`
  await operator.setUser({ id: user, organisation, teams: [`${organisation}/core`], role: 'member' })
  const { secret } = await operator.issueToken({ user, label: 'of the member' })
  return server.client(secret)
}

/** All that the API tells the caller about a workload and about what happened. */
async function everythingOf(client: Client, id: string): Promise<string> {
  const [workload, attempts, explanation, events, queues, nodes] = await Promise.all([
    client.getWorkload({ id }),
    client.listAttempts({ id }),
    client.explainWorkload({ id }),
    client.listEvents({ after: 0, limit: 1000 }),
    client.listQueues(),
    client.listNodes(),
  ])
  return JSON.stringify([workload, attempts, explanation, events, queues, nodes])
}

/** Where an id stands in the text as a whole word, or a tenant's name anywhere. */
function mentions(text: string, id: string, organisation: string): readonly string[] {
  return text.match(new RegExp(`.{0,60}(\\b${id}\\b|${organisation}).{0,60}`, 'g')) ?? []
}
