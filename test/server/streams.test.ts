import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { submit } from './tenants.ts'

describe('streams', () => {
  let server: RunningServer
  let client: Client
  beforeAll(async () => {
    server = await aServer()
    client = server.client()
  })
  afterAll(() => server.remove())

  test('events come in order, none twice and none left out, to readers that break off and resume under load', async () => {
    const from = (await lastSequence(client)) + 1
    const total = 120
    const submitting = (async () => {
      for (let sent = 0; sent < total; sent += 12) {
        await Promise.all(
          Array.from({ length: 12 }, (_, i) =>
            submit(client, { name: `load-${sent + i}`, gpus: 4, run: 'true' }),
          ),
        )
      }
      return lastSequence(client)
    })()
    const readers = [7, 23, 1_000].map((breakAfter) =>
      readBreakingOff(server, from - 1, breakAfter, submitting),
    )
    const last = await submitting
    for (const sequences of await Promise.all(readers)) {
      expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, i) => from + i))
      expect(sequences.at(-1)).toBeGreaterThanOrEqual(last)
    }
    // What has ended meanwhile refuses the stop.
    const { items } = await client.listWorkloads({ state: ['queued'], limit: 1_000 })
    await Promise.allSettled(items.map(({ id }) => client.stopWorkload({ id })))
  })

  test('a stream of one workload tells its life and nothing else', async () => {
    const { id } = await submit(client, { name: 'lived', gpus: 1, run: 'true' })
    await whenIn(client, id, 'succeeded')
    const { items } = await client.listEvents({ workload: id })
    const kinds = items.map(({ event }) => event.kind).filter((kind) => kind !== 'start-forecast')
    expect(kinds).toEqual([
      'workload-submitted',
      'attempt-planned',
      'attempt-running',
      'attempt-ended',
      'workload-finished',
    ])
  })

  test('an id from before a restore is taken as now', async () => {
    const over = new AbortController()
    const response = await server.request('/v1/events/stream', {
      token: server.token,
      headers: { 'last-event-id': '999999999' },
      signal: over.signal,
    })
    const { id } = await submit(client, { name: 'after-restore', gpus: 1, run: 'true' })
    for await (const { text } of messages(response)) if (text.includes(`"workload":"${id}"`)) break
    over.abort()
  })

  test('logs go on from one attempt to the next, and resume where a reader broke off', async () => {
    const run =
      'echo "attempt $BANYAN_ATTEMPT begins"; sleep 0.3; echo "attempt $BANYAN_ATTEMPT ends"; [ "$BANYAN_ATTEMPT" = 2 ]'
    const { id } = await submit(client, { name: 'two-attempts', gpus: 1, run, retry: { user: 1 } })
    const whole = 'attempt 1 begins\nattempt 1 ends\nattempt 2 begins\nattempt 2 ends\n'
    let text = ''
    let reason: unknown
    for await (const event of client.followLog({ id })) {
      if (event.type === 'log') text += event.data.text
      else reason = event.data.reason
    }
    expect(text).toBe(whole)
    expect(reason).toBe('succeeded')
    let resumed = ''
    let place: string | undefined
    for (;;) {
      const over = new AbortController()
      const response = await server.request(`/v1/workloads/${id}/logs/stream?attempt=2`, {
        token: server.token,
        signal: over.signal,
        ...(place === undefined ? {} : { headers: { 'last-event-id': place } }),
      })
      const first = (await messages(response).next()).value
      over.abort()
      if (!first || first.type === 'end') break
      resumed += (JSON.parse(first.data) as { text: string }).text
      place = first.id
    }
    expect(resumed).toBe('attempt 2 begins\nattempt 2 ends\n')
  })

  test('a log can be read in parts, from either end', async () => {
    const { id } = await submit(client, { name: 'parts', gpus: 1, run: 'printf 0123456789' })
    await whenIn(client, id, 'succeeded')
    expect((await client.readLog({ id, from: 4 })).text).toBe('456789')
    expect((await client.readLog({ id, from: -3 })).text).toBe('789')
    expect(await client.readLog({ id, from: 10_000 })).toMatchObject({ text: '', next: 10, ended: true })
  })
})

async function lastSequence(client: Client): Promise<number> {
  let last = 0
  for (;;) {
    const page = await client.listEvents({ after: last, limit: 1000 })
    if (page.items.length === 0) return page.last
    last = page.last
  }
}

/** Sequence numbers in the order in which a reader sees them who drops the connection again and again. */
async function readBreakingOff(
  server: RunningServer,
  after: number,
  breakAfter: number,
  until: Promise<number>,
): Promise<number[]> {
  const seen: number[] = []
  let last: number | undefined
  void until.then((value) => {
    last = value
  })
  while (last === undefined || (seen.at(-1) ?? 0) < last) {
    const over = new AbortController()
    const response = await server.request(`/v1/events/stream?after=${after}`, {
      token: server.token,
      signal: over.signal,
      ...(seen.length > 0 ? { headers: { 'last-event-id': `${seen.at(-1)}` } } : {}),
    })
    let read = 0
    for await (const { id } of messages(response)) {
      seen.push(Number(id))
      if (++read >= breakAfter || (last !== undefined && Number(id) >= last)) break
    }
    over.abort()
  }
  return seen
}

interface Message {
  readonly type: string
  readonly id: string
  readonly data: string
  readonly text: string
}

async function* messages(response: Response): AsyncGenerator<Message, void, void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const text of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
      if (text.startsWith('event:'))
        yield { type: field('event'), id: field('id'), data: field('data'), text }
    }
  }
}
