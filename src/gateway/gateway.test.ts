import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import OpenAI, { APIError } from 'openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { aReplica, chunkOf, LAST_CHUNKS, listen, startStream, type TestReplica } from './a-replica.ts'
import type { Caller, Endpoint, FinishedRequest, GatewayLimits, Replica } from './contract.ts'
import { createGateway } from './gateway.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

const CREATED_AT = 1_700_000_000_000
const MESSAGES = [{ role: 'user' as const, content: 'hi' }]

async function replica(...args: Parameters<typeof aReplica>): Promise<TestReplica> {
  const started = await aReplica(...args)
  toClose.push(() => started.close())
  return started
}

function endpoint(replicas: readonly Replica[], state: Endpoint['state'] = 'running'): Endpoint {
  return { id: 'w1', replicas, state, createdAt: CREATED_AT, ownedBy: 'acme' }
}

/** A gateway on a real port, where the token `alice` sees `models` and the token `bob` sees none. */
async function aGateway(models: Record<string, Endpoint>, limits: Partial<GatewayLimits> = {}) {
  const finished: FinishedRequest<Caller>[] = []
  const gateway = createGateway({
    endpoints: ({ id }) => new Map(id === 'alice' ? Object.entries(models) : []),
    authorise: (token) => (token === 'alice' || token === 'bob' ? { id: token } : undefined),
    limits,
    onRequestFinished: (request) => finished.push(request),
  })
  const server = createServer(gateway.handle)
  const url = await listen(server)
  toClose.push(() => {
    gateway.close()
    server.close()
    server.closeAllConnections()
  })
  const client = (apiKey = 'alice') => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
  const post = (path: string, body: string, headers = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body, headers: { authorization: 'Bearer alice', ...headers } })
  const chat = (model = 'm') => client().chat.completions.create({ model, messages: MESSAGES })
  return { gateway, url, client, post, chat, finished }
}

async function refusalOf(answer: Promise<unknown>): Promise<APIError> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof APIError)) throw new Error(`expected a refusal, got ${String(error)}`)
  return error
}

describe('relaying', () => {
  it('answers a chat, with the usage told to the one who counts', async () => {
    const { chat, finished } = await aGateway({ m: endpoint([await replica('r1')]) })
    const answer = await chat()
    expect(answer.choices[0]?.message.content).toBe('r1')
    expect(answer._request_id).toMatch(/^req_/)
    await vi.waitFor(() => expect(finished).toHaveLength(1))
    expect(finished).toEqual([
      {
        caller: { id: 'alice' },
        model: 'm',
        endpoint: 'w1',
        path: '/v1/chat/completions',
        requestId: answer._request_id,
        replica: 'r1',
        status: 200,
        complete: true,
        streamed: false,
        tries: 1,
        usage: { promptTokens: 3, completionTokens: 5 },
        firstByteMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
    ])
  })

  it('passes each part of a stream on before the next one is made', async () => {
    let next = () => {}
    const streaming = await replica('r1', (_, response) => {
      startStream(response)
      const parts = [chunkOf('one'), chunkOf('two'), LAST_CHUNKS]
      next = () => {
        const part = parts.shift()
        if (part) response.write(part)
        if (parts.length === 0) response.end()
      }
    })
    const { client, finished } = await aGateway({ m: endpoint([streaming]) })
    const stream = await client().chat.completions.create({ model: 'm', messages: MESSAGES, stream: true })
    const heard: string[] = []
    next()
    for await (const chunk of stream) {
      heard.push(chunk.choices[0]?.delta.content ?? 'usage')
      next()
    }
    expect(heard).toEqual(['one', 'two', 'usage'])
    await vi.waitFor(() =>
      expect(finished).toMatchObject([{ usage: { promptTokens: 4, completionTokens: 2 } }]),
    )
  })

  it('serves completions and embeddings too, and passes bodies and answers on unchanged', async () => {
    const sent = { model: 'm', input: 'grüße', extra: [1, { x: null }] }
    const echo = await replica('r1', ({ body, request }, response) => {
      response.writeHead(207, { 'content-type': 'application/json', 'x-mine': 'yes' })
      response.end(JSON.stringify({ path: request.url, body }))
    })
    const { post } = await aGateway({ m: endpoint([echo]) })
    for (const path of ['/v1/completions', '/v1/embeddings?a=b']) {
      const answer = await post(path, JSON.stringify(sent))
      expect(answer.status).toBe(207)
      expect(answer.headers.get('x-mine')).toBe('yes')
      expect(await answer.json()).toEqual({ path, body: sent })
    }
  })

  it('gives replicas no token or cookie, and passes on no header of a single connection', async () => {
    const chatty = await replica('r1', (_, response) => {
      response.writeHead(200, { 'set-cookie': 'a=b', 'keep-alive': 'timeout=9', 'x-mine': 'yes' })
      response.end('{}')
    })
    const { url } = await aGateway({ m: endpoint([chatty]) })
    const headers = {
      authorization: 'Bearer alice',
      cookie: 'session=1',
      connection: 'x-private, keep-alive',
      'x-private': '1',
      te: 'trailers',
      'accept-encoding': 'gzip',
      'x-trace': 'abc',
    }
    const request = httpRequest(`${url}/v1/completions`, { method: 'POST', headers }).end('{"model":"m"}')
    const [answer] = await once(request, 'response')
    expect(await text(answer)).toBe('{}')
    const { 'x-request-id': requestId, host, connection, ...seen } = chatty.asked[0]!.request.headers
    expect(seen).toEqual({ 'x-trace': 'abc', 'content-length': '13' })
    expect(requestId).toMatch(/^req_/)
    expect(host).toBe(new URL(chatty.url).host)
    expect(connection).toBe('keep-alive')
    expect(answer.headers).toMatchObject({ 'x-mine': 'yes' })
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['keep-alive']).not.toContain('9')
  })

  it('uses the connection to a replica again', async () => {
    const one = await replica('r1')
    const { chat } = await aGateway({ m: endpoint([one]) })
    for (let i = 0; i < 5; i++) await chat()
    expect(one.connections).toHaveLength(1)
  })

  it('passes errors of a replica on as they are', async () => {
    const strict = await replica('r1', (_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          error: { message: 'too long', type: 'invalid_request_error', code: 'x', param: 'p' },
        }),
      )
    })
    const { chat, finished } = await aGateway({ m: endpoint([strict]) })
    expect(await refusalOf(chat())).toMatchObject({
      status: 400,
      code: 'x',
      param: 'p',
      message: '400 too long',
    })
    await vi.waitFor(() => expect(finished).toMatchObject([{ status: 400, complete: true, replica: 'r1' }]))
  })
})

describe('choosing a replica', () => {
  it('takes the one with the fewest outstanding requests, and gives equals turns', async () => {
    const held: (() => void)[] = []
    const slow = await replica('slow', (_, response) => held.push(() => response.end('{}')))
    const quick = await replica('quick')
    const { gateway, chat } = await aGateway({ m: endpoint([slow, quick]) })
    const first = chat()
    const second = chat()
    await vi.waitFor(() => expect(held).toHaveLength(1))
    for (let i = 0; i < 6; i++) await chat()
    expect(slow.asked).toHaveLength(1)
    expect(quick.asked).toHaveLength(7)
    expect(gateway.outstanding()).toEqual(new Map([['slow', 1]]))
    held[0]!()
    await Promise.all([first, second])
    expect(gateway.outstanding()).toEqual(new Map())
  })

  it('goes by models', async () => {
    const { chat } = await aGateway({
      a: endpoint([await replica('ra')]),
      b: endpoint([await replica('rb')]),
    })
    expect((await chat('a')).choices[0]?.message.content).toBe('ra')
    expect((await chat('b')).choices[0]?.message.content).toBe('rb')
  })
})

describe('when a replica does not answer', () => {
  it('asks another that refused the connection, and passes the first over for a while', async () => {
    const gone = await aReplica('gone')
    await gone.close()
    const well = await replica('well')
    const { chat, finished } = await aGateway({ m: endpoint([gone, well]) })
    for (let i = 0; i < 4; i++) expect((await chat()).choices[0]?.message.content).toBe('well')
    await vi.waitFor(() => expect(finished.filter(({ tries }) => tries === 2)).toHaveLength(1))
  })

  it('asks another when it closed the connection before it said anything', async () => {
    const dying = await replica('dying', ({ request }) => request.socket.resetAndDestroy())
    const well = await replica('well')
    const { chat } = await aGateway({ m: endpoint([dying, well]) })
    for (let i = 0; i < 3; i++) expect((await chat()).choices[0]?.message.content).toBe('well')
    expect(dying.asked).toHaveLength(1)
  })

  it('connects again to one that had closed an idle connection', async () => {
    let answers = 0
    const napping = await replica('r1', ({ request }, response) => {
      answers++
      // On the second request of a connection it is as if it had closed it just before.
      if (answers === 2) request.socket.resetAndDestroy()
      else response.end('{}')
    })
    const { post, finished } = await aGateway({ m: endpoint([napping]) })
    for (let i = 0; i < 2; i++) expect((await post('/v1/completions', '{"model":"m"}')).status).toBe(200)
    await vi.waitFor(() => expect(finished.map(({ tries }) => tries)).toEqual([1, 2]))
  })

  it('says 502 when none answers, and asks no more than three', async () => {
    const asked: string[] = []
    const replicas = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id) =>
        replica(id, ({ request }) => {
          asked.push(id)
          request.socket.resetAndDestroy()
        }),
      ),
    )
    const { chat } = await aGateway({ m: endpoint(replicas) })
    const { status, code, message } = await refusalOf(chat())
    expect({ status, code }).toEqual({ status: 502, code: 'replica_failed' })
    expect(message).toContain('3 tried; the last: ECONNRESET')
    expect(new Set(asked).size).toBe(3)
  })

  it('asks no other once an answer has begun, and closes the connection of the caller', async () => {
    const breaking = await replica('breaking', (_, response) => {
      startStream(response)
      response.write(chunkOf('one'), () => response.destroy())
    })
    const well = await replica('well')
    const { client, finished } = await aGateway({ m: endpoint([breaking, well]) })
    const listened = async () => {
      const stream = await client().chat.completions.create({ model: 'm', messages: MESSAGES, stream: true })
      for await (const _ of stream);
    }
    const ends = await Promise.allSettled([listened(), listened()])
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(breaking.asked.length + well.asked.length).toBe(2)
    await vi.waitFor(() => expect(finished.filter(({ complete }) => !complete)).toHaveLength(1))
  })

  it('says 504 to a silent one, and asks no other: it may be at work', async () => {
    const silent = await replica('silent', () => {})
    const { chat, finished } = await aGateway({ m: endpoint([silent]) }, { silenceMs: 50 })
    expect(await refusalOf(chat())).toMatchObject({ status: 504, code: 'replica_timeout' })
    await vi.waitFor(() => expect(finished).toMatchObject([{ tries: 1, replica: 'silent' }]))
  })

  it('says 502 to one that does not speak HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('220 mail ready\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    toClose.push(() => server.close())
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { chat } = await aGateway({ m: endpoint([{ id: 'mail', url }]) })
    expect(await refusalOf(chat())).toMatchObject({ status: 502 })
  })
})

describe('when the caller goes away', () => {
  it('stops the replica in the middle of a stream', async () => {
    const closed = vi.fn()
    const endless = await replica('r1', (_, response) => {
      startStream(response)
      response.write(chunkOf('one'))
      response.on('close', closed)
    })
    const { client, finished, gateway } = await aGateway({ m: endpoint([endless]) })
    const stream = await client().chat.completions.create({ model: 'm', messages: MESSAGES, stream: true })
    for await (const _ of stream) break
    await vi.waitFor(() => expect(closed).toHaveBeenCalled())
    await vi.waitFor(() => expect(finished).toMatchObject([{ status: 200, complete: false }]))
    expect(gateway.outstanding().size).toBe(0)
  })

  it('stops a replica that has not answered yet', async () => {
    const closed = vi.fn()
    const silent = await replica('r1', (_, response) => response.on('close', closed))
    const { url, finished } = await aGateway({ m: endpoint([silent]) })
    const request = httpRequest(`${url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer alice' },
    })
    request.on('error', () => {})
    request.end('{"model":"m"}')
    await vi.waitFor(() => expect(silent.asked).toHaveLength(1))
    request.destroy()
    await vi.waitFor(() => expect(closed).toHaveBeenCalled())
    await vi.waitFor(() => expect(finished).toMatchObject([{ status: 499, complete: false }]))
  })
})

describe('models', () => {
  it('are listed as OpenAI lists them, to those who may use them', async () => {
    const { client } = await aGateway({ 'org/m': endpoint([]), n: endpoint([]) })
    const entry = { object: 'model', created: CREATED_AT / 1000, owned_by: 'acme' }
    const { data } = await client().models.list()
    expect(data).toEqual([
      { id: 'org/m', ...entry },
      { id: 'n', ...entry },
    ])
    expect(await client().models.retrieve('org/m')).toMatchObject({ id: 'org/m', ...entry })
    expect((await client('bob').models.list()).data).toEqual([])
    expect(await refusalOf(client('bob').models.retrieve('n'))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })
})

describe('refusals', () => {
  it('401 without a valid token', async () => {
    const { client, url } = await aGateway({})
    expect(await refusalOf(client('eve').models.list())).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    })
    const bare = await fetch(`${url}/v1/models`)
    expect(bare.status).toBe(401)
    expect(await bare.json()).toMatchObject({
      error: { message: expect.stringContaining('no token was sent') },
    })
  })

  it('404 for a model that is not there or is not yours, alike', async () => {
    const { chat, client } = await aGateway({ m: endpoint([await replica('r1')]) })
    const absent = await refusalOf(chat('x'))
    expect(absent).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    const foreign = await refusalOf(client('bob').chat.completions.create({ model: 'm', messages: MESSAGES }))
    expect(foreign.message).toBe(absent.message.replace('"x"', '"m"'))
  })

  it.each([
    ['not json', /not JSON/],
    ['[]', /must be a JSON object/],
    ['{}', /"model" must be/],
    ['{"model":7}', /"model" must be/],
  ])('400 for the body %s', async (body, problem) => {
    const { post } = await aGateway({})
    const answer = await post('/v1/completions', body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      error: { message: expect.stringMatching(problem), type: 'invalid_request_error' },
    })
  })

  it('404 and 405 for other paths and methods', async () => {
    const { post, url } = await aGateway({})
    expect((await post('/v1/images', '{}')).status).toBe(404)
    const wrong = await fetch(`${url}/v1/chat/completions`)
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it.each([
    ['declared', (body: string) => body],
    ['found while it comes', (body: string) => new Blob([body]).stream()],
  ])('413 for a body whose size is %s', async (_, wrap) => {
    const { url } = await aGateway({ m: endpoint([await replica('r1')]) }, { bodyBytes: 100_000 })
    const send = (bytes: number) =>
      fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer alice' },
        body: wrap(`{"model":"m","prompt":"${'x'.repeat(bytes)}"}`),
        duplex: 'half',
      } as RequestInit)
    expect((await send(90_000)).status).toBe(200)
    const answer = await send(5_000_000)
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: { code: 'request_too_large' } })
  })

  it('503 with the reason when no replica is ready', async () => {
    const { chat } = await aGateway({ m: endpoint([], 'starting') })
    const refusal = await refusalOf(chat())
    expect(refusal).toMatchObject({ status: 503, code: 'no_ready_replica' })
    expect(refusal.message).toContain('its workload is starting')
    expect(refusal.headers?.get('retry-after')).toBe('5')
  })

  it('429 when every replica is full, and not a moment longer', async () => {
    const held: (() => void)[] = []
    const slow = await replica('slow', (_, response) => held.push(() => response.end('{}')))
    const { chat } = await aGateway({ m: endpoint([slow]) }, { outstandingPerReplica: 2 })
    const running = [chat(), chat()]
    await vi.waitFor(() => expect(held).toHaveLength(2))
    const refusal = await refusalOf(chat())
    expect(refusal).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(refusal.headers?.get('retry-after')).toBe('1')
    for (const release of held.splice(0)) release()
    await Promise.all(running)
    const after = chat()
    await vi.waitFor(() => expect(held).toHaveLength(1))
    held[0]!()
    await after
  })

  it('429 to a caller who asks too often, and to no other', async () => {
    const { client } = await aGateway({}, { requestsPerMinute: 2 })
    for (let i = 0; i < 2; i++) await client().models.list()
    const refusal = await refusalOf(client().models.list())
    expect(refusal).toMatchObject({ status: 429 })
    expect(Number(refusal.headers?.get('retry-after'))).toBeGreaterThan(25)
    await client('bob').models.list()
  })
})
