import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiProblem, type Client } from '../../src/api/index.ts'
import { FlakyStore } from './flaky-store.ts'
import { aServer, type RunningServer } from './running-server.ts'

const WAITS = { type: 'train', gpus: 64, run: 'true' }

describe('group commit', () => {
  const store = new FlakyStore()
  let server: RunningServer
  let client: Client
  beforeAll(async () => {
    server = await aServer({ change: store.wrap })
    client = server.client()
  })
  afterAll(() => server.remove())

  const submit = (name: string, key = name) =>
    client.submitWorkload({ spec: { ...WAITS, name }, folder: '/' }, { idempotencyKey: key })
  const named = async (name: string) => (await client.listWorkloads({ name })).items.length
  const submissionsIn = (from: number) =>
    store.batches
      .slice(from)
      .map(({ events }) => events.filter(({ event }) => event.kind === 'workload-submitted').length)

  test('[S5] many submissions at once are few transactions, and each is answered when its own is durable', async () => {
    const from = store.batches.length
    const release = store.hold()
    let answered = 0
    const calls = Array.from({ length: 100 }, (_, i) => submit(`many-${i}`).finally(() => answered++))
    // None waits for the commit that is held up, so all of them get past the look at their keys.
    await store.lookups(100)
    await client.getHealth()
    expect(answered).toBe(0)
    release()
    await Promise.all(calls)
    const sizes = submissionsIn(from).filter((size) => size > 0)
    expect(sizes.reduce((a, b) => a + b)).toBe(100)
    // The one that was held up, and all others.
    expect(sizes.length).toBeLessThanOrEqual(2)
  })

  test('[S5] of a batch that the store refuses nothing is seen, everybody is told so, and the server goes on', async () => {
    store.refuseNext()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => submit(`refused-${i}`)))
    const refused = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [{ i, reason: outcome.reason }] : [],
    )
    expect(refused.length).toBeGreaterThan(0)
    for (const { i, reason } of refused) {
      expect(reason).toBeInstanceOf(ApiProblem)
      expect([reason.status, reason.message]).toEqual([503, 'Nothing was changed: the database refused it'])
      expect(await named(`refused-${i}`)).toBe(0)
    }
    for (const { i } of refused) expect((await submit(`refused-${i}`)).replayed).toBe(false)
    for (let i = 0; i < 10; i++) expect(await named(`refused-${i}`)).toBe(1)
  })

  test('[S5] a batch whose confirmation was lost is found in the log, and answered as what it is', async () => {
    store.loseNextAnswer()
    const { workloads, replayed } = await submit('unconfirmed')
    expect(replayed).toBe(false)
    expect((await client.getWorkload({ id: workloads[0]?.id ?? '' })).spec.name).toBe('unconfirmed')
    expect((await submit('unconfirmed')).replayed).toBe(true)
    expect(await named('unconfirmed')).toBe(1)
  })

  test('while the store is away nobody is served, the caller learns that nothing is sure, and the key tells later', async () => {
    store.loseNextAnswer()
    store.failLoads(1)
    const unsure = await submit('unsure').catch((error: unknown) => error)
    expect(unsure).toMatchObject({ status: 503 })
    expect((unsure as Error).message).toMatch(/is not known, and the same idempotency key will tell/)
    await expect(client.getWorkload({ id: 'w1' })).rejects.toMatchObject({
      status: 503,
      retryAfterSeconds: 1,
    })
    // The client of the SDK waits as long as it was told to.
    const patient = server.client()
    for (;;) {
      const answer = await patient
        .submitWorkload({ spec: { ...WAITS, name: 'unsure' }, folder: '/' }, { idempotencyKey: 'unsure' })
        .catch(() => undefined)
      if (!answer) continue
      expect(answer.replayed).toBe(true)
      break
    }
    expect(await named('unsure')).toBe(1)
  })

  test('readers of events miss nothing of a batch whose confirmation was lost', async () => {
    const { last } = await client.listEvents({ after: 0, limit: 1000 })
    const over = new AbortController()
    const events = client.followEvents({ after: last }, { signal: over.signal })
    store.loseNextAnswer()
    const { workloads } = await submit('seen')
    const sequences: number[] = []
    for await (const { data } of events) {
      sequences.push(data.sequence)
      if (data.event.kind === 'workload-submitted' && data.event.workload === workloads[0]?.id) break
    }
    over.abort()
    expect(sequences).toEqual(sequences.map((_, i) => last + 1 + i))
  })
})
