import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { afterEach, describe, expect, test } from 'vitest'
import {
  ApiProblem,
  type Client,
  contractOf,
  createClient,
  OPERATIONS,
  type Operation,
  PROBLEM_MEDIA_TYPE,
  type ProblemDocument,
  parseInput,
  problem,
  statusOf,
} from '../../src/api/index.ts'

interface Call {
  readonly input: Record<string, unknown>
  readonly context: Context
}
type Answerer = (call: Call) => unknown

const running: ServerType[] = []
afterEach(async () => {
  for (const server of running.splice(0)) {
    await new Promise((resolve) => {
      server.close(resolve)
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
  }
})

/** A real HTTP server with the routes of the contract table; operations without an answerer say `unsupported`. */
async function aServer(answerers: Partial<Record<Operation, Answerer>>): Promise<string> {
  const app = new Hono()
  for (const operation of OPERATIONS) {
    const contract = contractOf(operation)
    app.on(contract.method, contract.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      const raw = { params: context.req.param(), query: context.req.query(), body: await bodyOf(context) }
      const parsed = parseInput(contract, raw)
      if (!parsed.ok) return refusal(parsed.error)
      const answerer = answerers[operation]
      if (!answerer) return refusal(problem('unsupported', operation))
      const answer = await answerer({ input: parsed.value, context })
      if (answer instanceof Response) return answer
      return Response.json(answer, { status: statusOf(contract, answer) })
    })
  }
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  running.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function bodyOf(context: Context): Promise<unknown> {
  const text = await context.req.text()
  return text === '' ? undefined : JSON.parse(text)
}

function refusal(document: ProblemDocument, headers: Record<string, string> = {}): Response {
  return Response.json(document, {
    status: document.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE, ...headers },
  })
}

async function aClient(answerers: Partial<Record<Operation, Answerer>>): Promise<Client> {
  return createClient({ baseUrl: await aServer(answerers), token: 'secret', retryPausesMs: [1, 1, 1] })
}

async function problemOf(call: Promise<unknown>): Promise<ApiProblem> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ApiProblem)
  return error as ApiProblem
}

const submittedNothing = { dryRun: false, replayed: false, workloads: [], specs: [], outlook: [] }

describe('a call', () => {
  test('carries token, path, query and body to where the contract puts them', async () => {
    const seen: unknown[] = []
    const client = await aClient({
      listWorkloads: ({ input, context }) => {
        seen.push(input, context.req.header('authorization'))
        return { items: [] }
      },
      setQueue: ({ input }) => {
        seen.push(input)
        return {}
      },
    })
    await client.listWorkloads({ state: ['queued', 'running'], limit: 7, name: 'a b&c' })
    await client.setQueue({ id: 'acme/research', guaranteedGpus: 8, limitGpus: null })
    expect(seen).toEqual([
      { state: ['queued', 'running'], limit: 7, name: 'a b&c' },
      'Bearer secret',
      { id: 'acme/research', guaranteedGpus: 8, limitGpus: null },
    ])
  })

  test('gets defaults filled in on the other side', async () => {
    let input: unknown
    const client = await aClient({
      readLog: (call) => {
        input = call.input
        return {}
      },
    })
    await client.readLog({ id: 'w1', from: -100 })
    expect(input).toEqual({ id: 'w1', task: 0, from: -100 })
  })
})

describe('a refusal', () => {
  test('is thrown as ApiProblem with code, detail, hint and exit', async () => {
    const client = await aClient({
      getWorkload: ({ input }) =>
        refusal(
          problem('not-found', `no workload "${String(input.id)}"`, { hint: 'List them with `banyan ps`.' }),
        ),
    })
    const thrown = await problemOf(client.getWorkload({ id: 'w9' }))
    expect(thrown).toMatchObject({
      code: 'not-found',
      status: 404,
      message: 'no workload "w9"',
      hint: 'List them with `banyan ps`.',
      exit: 'not-found',
      exitCode: 3,
    })
  })

  test('of bad input names every fault, also a filter that does not exist', async () => {
    const baseUrl = await aServer({ listWorkloads: () => ({ items: [] }) })
    const response = await fetch(`${baseUrl}/v1/workloads?limit=many&stat=queued&state=asleep`)
    expect(response.status).toBe(400)
    const { code, errors } = (await response.json()) as ProblemDocument
    expect(code).toBe('invalid-request')
    expect(errors?.map(({ field }) => field)).toEqual(['query.state.0', 'query.limit', 'query.stat'])
  })

  test('by something that is not Banyan says what answered', async () => {
    const client = await aClient({ getPolicy: () => new Response('<h1>Sorry</h1>', { status: 500 }) })
    const thrown = await problemOf(client.getPolicy())
    expect(thrown.code).toBe('internal')
    expect(thrown.message).toMatch(/HTTP 500 from http:.*<h1>Sorry/)
  })
})

describe('an unreachable server', () => {
  test('is told apart from a refusal, with the reason and what to do', async () => {
    const baseUrl = await aServer({})
    const [server] = running.splice(0)
    await new Promise((resolve) => server?.close(resolve))
    const client = createClient({ baseUrl, retryPausesMs: [1] })
    const thrown = await problemOf(client.getHealth())
    expect(thrown).toMatchObject({ code: 'unreachable', exitCode: 7 })
    expect(thrown.message).toBe(`no answer from Banyan at ${baseUrl}: nothing listens there (ECONNREFUSED)`)
    expect(thrown.hint).toContain('banyan up')
  })
})

describe('trying again', () => {
  test('a submission is repeated with the same idempotency key', async () => {
    const keys: (string | undefined)[] = []
    const client = await aClient({
      submitWorkload: ({ context }) => {
        keys.push(context.req.header('idempotency-key'))
        return keys.length < 3 ? refusal(problem('unavailable', 'no leader yet')) : submittedNothing
      },
    })
    await client.submitWorkload({ spec: 'name: a' })
    expect(keys).toHaveLength(3)
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(new Set(keys).size).toBe(1)
  })

  test('two submissions carry two keys', async () => {
    const keys: (string | undefined)[] = []
    const client = await aClient({
      submitWorkload: ({ context }) => {
        keys.push(context.req.header('idempotency-key'))
        return submittedNothing
      },
    })
    await client.submitWorkload({ spec: 'name: a' })
    await client.submitWorkload({ spec: 'name: a' })
    await client.submitWorkload({ spec: 'name: a' }, { idempotencyKey: 'mine' })
    expect(new Set(keys).size).toBe(3)
    expect(keys[2]).toBe('mine')
  })

  test('a POST without a key is sent once', async () => {
    let calls = 0
    const client = await aClient({
      cordonNode: () => {
        calls++
        return refusal(problem('unavailable', 'later'))
      },
    })
    expect((await problemOf(client.cordonNode({ id: 'n1', reason: 'x' }))).code).toBe('unavailable')
    expect(calls).toBe(1)
  })

  test('a refusal that would come again is not repeated', async () => {
    let calls = 0
    const client = await aClient({
      getPolicy: () => {
        calls++
        return refusal(problem('forbidden', 'no'))
      },
    })
    expect((await problemOf(client.getPolicy())).exitCode).toBe(4)
    expect(calls).toBe(1)
  })
})

const chunk = (text: string, from: number) => ({
  attempt: 'w1.1',
  task: 0,
  text,
  from,
  next: from + text.length,
  ended: false,
})

describe('a stream', () => {
  test('goes on after a lost connection with the id of the last event, each event once', async () => {
    const resumedFrom: (string | undefined)[] = []
    const client = await aClient({
      followLog: ({ context }) => {
        const lastId = context.req.header('last-event-id')
        resumedFrom.push(lastId)
        return streamSSE(context, async (stream) => {
          const first = Number(lastId ?? 0)
          // Two events a connection, then it breaks off without a word.
          for (let i = first; i < Math.min(first + 2, 5); i++) {
            await stream.writeSSE({
              event: 'log',
              id: String(i + 1),
              data: JSON.stringify(chunk(`line ${i}\n`, i)),
            })
          }
          if (first + 2 > 5) await stream.writeSSE({ event: 'end', id: '6', data: '{"reason":"succeeded"}' })
        })
      },
    })
    const texts: string[] = []
    for await (const event of client.followLog({ id: 'w1' })) {
      texts.push(event.type === 'log' ? event.data.text : event.data.reason)
    }
    expect(texts).toEqual(['line 0\n', 'line 1\n', 'line 2\n', 'line 3\n', 'line 4\n', 'succeeded'])
    expect(resumedFrom).toEqual([undefined, '2', '4'])
  })

  test('ends at once, without trying again, when the server refuses', async () => {
    let calls = 0
    const client = await aClient({
      followEvents: () => {
        calls++
        return refusal(problem('not-found', 'no workload "w1"'))
      },
    })
    const next = client.followEvents({ workload: 'w1' }).next()
    expect((await problemOf(next)).code).toBe('not-found')
    expect(calls).toBe(1)
  })

  test('connects again when the connection stays silent', async () => {
    let connections = 0
    const baseUrl = await aServer({
      followLog: ({ context }) => {
        connections++
        const silent = connections === 1
        return streamSSE(context, async (stream) => {
          if (silent) await new Promise<void>((resolve) => stream.onAbort(resolve))
          else await stream.writeSSE({ event: 'end', id: '1', data: '{"reason":"failed"}' })
        })
      },
    })
    const client = createClient({ baseUrl, retryPausesMs: [1], silenceMs: 50 })
    const { value } = await client.followLog({ id: 'w1' }).next()
    expect(value).toEqual({ type: 'end', id: '1', data: { reason: 'failed' } })
    expect(connections).toBe(2)
  })

  test('is given up with the signal that the caller aborts', async () => {
    const client = await aClient({
      followEvents: ({ context }) =>
        streamSSE(context, async (stream) => new Promise<void>((resolve) => stream.onAbort(resolve))),
    })
    const stop = new AbortController()
    const next = client.followEvents({}, { signal: stop.signal }).next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
  })
})
