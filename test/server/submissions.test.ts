import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiProblem, type Client } from '../../src/api/index.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { submit } from './tenants.ts'

/** Larger than this machine, so that it waits for ever. */
const WAITS = { gpus: 2, run: 'true' }

async function refusalOf(call: Promise<unknown>): Promise<ApiProblem> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ApiProblem)
  return error as ApiProblem
}

describe('submissions', () => {
  let server: RunningServer
  let client: Client
  let holder: string
  beforeAll(async () => {
    server = await aServer({ slots: 2 })
    client = server.client()
    holder = (await submit(client, { name: 'holder', gpus: 2, run: 'sleep 600' })).id
    await whenIn(client, holder, 'running')
  })
  afterAll(async () => {
    await server
      .client()
      .stopWorkload({ id: holder, kill: true })
      .catch(() => {})
    await server.remove()
  })

  const input = (name: string) => ({ spec: { type: 'train', name, ...WAITS }, folder: '/' })

  test('[S5] the same key and body give the same workloads again; another body is refused', async () => {
    const first = await client.submitWorkload(input('once'), { idempotencyKey: 'a' })
    const again = await client.submitWorkload(input('once'), { idempotencyKey: 'a' })
    expect([first.replayed, again.replayed]).toEqual([false, true])
    expect(again.workloads.map(({ id }) => id)).toEqual(first.workloads.map(({ id }) => id))
    const refused = await refusalOf(client.submitWorkload(input('other'), { idempotencyKey: 'a' }))
    expect([refused.status, refused.code]).toEqual([409, 'idempotency-key-reused'])
  })

  test('keys of one user say nothing of those of another', async () => {
    await client.setUser({ id: 'second', organisation: 'default', teams: ['default'], role: 'member' })
    const { secret } = await client.issueToken({ user: 'second', label: 'second' })
    const mine = await client.submitWorkload(input('mine'), { idempotencyKey: 'shared' })
    const theirs = await server.client(secret).submitWorkload(input('theirs'), { idempotencyKey: 'shared' })
    expect(theirs.replayed).toBe(false)
    expect(theirs.workloads[0]?.id).not.toBe(mine.workloads[0]?.id)
  })

  test('[S5] of many at once with one key, one makes workloads and all get them', async () => {
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 16 }, () =>
          client.submitWorkload(input(`at-once-${round}`), { idempotencyKey: `at once ${round}` }),
        ),
      )
      expect(new Set(answers.flatMap(({ workloads }) => workloads.map(({ id }) => id))).size).toBe(1)
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    }
  })

  test('a key of another submission that is under way is refused as one that is done', async () => {
    const outcomes = await Promise.allSettled([
      client.submitWorkload(input('left'), { idempotencyKey: 'race' }),
      client.submitWorkload(input('right'), { idempotencyKey: 'race' }),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('[S5] a key is known after a restart', async () => {
    const before = await client.submitWorkload(input('restarted'), { idempotencyKey: 'restart' })
    await server.close()
    server = await aServer({ slots: 2, dataDir: server.dataDir })
    client = server.client()
    const after = await client.submitWorkload(input('restarted'), { idempotencyKey: 'restart' })
    expect(after.replayed).toBe(true)
    expect(after.workloads.map(({ id }) => id)).toEqual(before.workloads.map(({ id }) => id))
    expect((await client.getWorkload({ id: holder })).state).toBe('running')
  })

  test('an array is one submission: each index is a workload, all or none', async () => {
    const { workloads } = await client.submitWorkload({
      spec: { type: 'train', name: 'many', ...WAITS, array: '0-4:2' },
      folder: '/',
    })
    expect(workloads.map(({ spec }) => spec.name)).toEqual(['many-0', 'many-2', 'many-4'])
    const none = await refusalOf(
      client.submitWorkload({
        spec: { type: 'train', name: 'none', ...WAITS, array: '0-4', dependsOn: 'never-was' },
        folder: '/',
      }),
    )
    expect(none.status).toBe(422)
    expect((await client.listWorkloads({ name: 'none-0' })).items).toEqual([])
  })

  test('pages hold every workload once, newest first, while others are submitted', async () => {
    for (let i = 0; i < 12; i++) await submit(client, { name: `page-${i}`, ...WAITS })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await client.listWorkloads({ limit: 5, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
      await submit(client, { name: 'meanwhile', ...WAITS })
    } while (cursor !== undefined)
    const numbers = seen.map((id) => Number(id.slice(1)))
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a))
    expect(numbers).toEqual(Array.from({ length: numbers[0] ?? 0 }, (_, i) => (numbers[0] ?? 0) - i))
    const refused = await refusalOf(client.listWorkloads({ cursor: 'not one of ours' }))
    expect(refused.status).toBe(400)
  })

  test('what depends on another waits for it, starts after it, and never starts after a failure', async () => {
    const first = await submit(client, { name: 'first', gpus: 1, run: 'true' })
    const second = await submit(client, { name: 'second', gpus: 1, run: 'true', dependsOn: 'first' })
    const failing = await submit(client, { name: 'failing', gpus: 1, run: 'exit 3' })
    const never = await submit(client, { name: 'never', gpus: 1, run: 'true', dependsOn: failing.id })
    expect(second.waitsFor).toEqual([first.id])
    const { explanations } = await client.explainWorkload({ id: second.id })
    expect(explanations[0]?.blockers.map(({ kind }) => kind)).toContain('dependency')
    // What waits for room that never comes would keep the head of the queue.
    for (const { id } of (await client.listWorkloads({ state: ['queued'], limit: 1000 })).items) {
      if (![first.id, second.id, failing.id, never.id].includes(id)) await client.stopWorkload({ id })
    }
    await client.stopWorkload({ id: holder, kill: true })
    await whenIn(client, second.id, 'succeeded')
    const [one, two] = await Promise.all([first.id, second.id].map((id) => client.listAttempts({ id })))
    expect(two?.items[0]?.plannedAt).toBeGreaterThanOrEqual(
      one?.items[0]?.endedAt ?? Number.POSITIVE_INFINITY,
    )
    await whenIn(client, failing.id, 'failed')
    const given = await whenIn(client, never.id, 'failed', 'cancelled')
    expect(given.attemptCount).toBe(0)
    const refused = await refusalOf(
      submit(client, { name: 'late', gpus: 1, run: 'true', dependsOn: failing.id }),
    )
    expect([refused.status, refused.message.includes(failing.id)]).toEqual([422, true])
  })

  test('stop, kill and resubmit act in the states that allow it and say why in the others', async () => {
    const stubborn = await submit(client, {
      name: 'stubborn',
      gpus: 1,
      run: "trap '' TERM; while :; do sleep 1; done",
    })
    await whenIn(client, stubborn.id, 'running')
    const early = await refusalOf(client.resubmitWorkload({ id: stubborn.id }))
    expect([early.status, early.code]).toEqual([409, 'wrong-state'])
    expect((await client.stopWorkload({ id: stubborn.id })).state).toBe('stopping')
    const twice = await refusalOf(client.stopWorkload({ id: stubborn.id }))
    expect([twice.status, /--kill/.test(twice.message)]).toEqual([409, true])
    await client.stopWorkload({ id: stubborn.id, kill: true })
    await whenIn(client, stubborn.id, 'cancelled')
    const late = await refusalOf(client.stopWorkload({ id: stubborn.id }))
    expect([late.status, late.code]).toEqual([409, 'wrong-state'])

    const quick = await submit(client, { name: 'quick', gpus: 1, run: 'true' })
    await whenIn(client, quick.id, 'succeeded')
    const again = await client.resubmitWorkload({ id: quick.id }, { idempotencyKey: 'again' })
    const replayed = await client.resubmitWorkload({ id: quick.id }, { idempotencyKey: 'again' })
    expect(again.workloads[0]?.id).not.toBe(quick.id)
    expect(replayed.workloads[0]?.id).toBe(again.workloads[0]?.id)
    const notServing = await refusalOf(
      client.scaleWorkload({ id: again.workloads[0]?.id ?? '', replicas: 2 }),
    )
    expect(notServing.status).toBe(409)
  })

  test('scaling adds replicas and takes the last ones away', async () => {
    const serve = { type: 'serve', name: 'scaled', gpus: 1, replicas: 1, run: 'sleep 600' }
    const { id } = await submit(client, serve)
    const bigger = await client.scaleWorkload({ id, replicas: 3 })
    expect(bigger.spec).toMatchObject({ replicas: 3 })
    const smaller = await client.scaleWorkload({ id, replicas: 0 })
    expect(smaller.spec).toMatchObject({ replicas: 0 })
    await client.stopWorkload({ id, kill: true })
    await whenIn(client, id, 'cancelled')
  })
})
