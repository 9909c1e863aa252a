import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Caller, DEFAULT_LIMITS, type Endpoint, type GatewayOptions } from './contract.ts'
import { Dispatcher } from './dispatch.ts'
import { RateLimit } from './rate-limit.ts'
import { readBody } from './read-body.ts'
import {
  badBody,
  modelNotFound,
  notAuthorised,
  Refusal,
  tooManyRequests,
  unknownRoute,
  wrongMethod,
} from './refusal.ts'

export interface Gateway {
  /** Whether a path (without its query) is the gateway's to answer. */
  readonly handles: (path: string) => boolean
  /** Answers one request: a listener for a node:http server. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Requests that each replica has now, by its id; those that have none are left out. */
  readonly outstanding: () => ReadonlyMap<string, number>
  /** Closes the connections to the replicas. */
  readonly close: () => void
}

const RELAYED = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings']
const MODELS = '/v1/models'
/** How long a caller who was refused may go on sending, so that it reads the answer rather than a broken pipe. */
const LINGER_MS = 2_000

/** The OpenAI-compatible front of the served models. */
export function createGateway<Asker extends Caller>(options: GatewayOptions<Asker>): Gateway {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const dispatcher = new Dispatcher(limits)
  const rate = new RateLimit(limits.requestsPerMinute)

  return {
    handles: (path) => RELAYED.includes(path) || isModels(path),
    handle: (request, response) => {
      answer(request, response).catch((error: unknown) => {
        if (!(error instanceof Refusal)) options.onBug?.(error)
        refuse(request, response, error)
      })
    },
    outstanding: () => dispatcher.outstanding,
    close: () => dispatcher.close(),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedAt = performance.now()
    const target = request.url ?? '/'
    const path = target.split('?', 1)[0]!
    const method = request.method ?? ''
    const allowed = RELAYED.includes(path) ? 'POST' : isModels(path) ? 'GET' : undefined
    if (allowed === undefined) throw unknownRoute(method, path)
    if (method !== allowed) throw wrongMethod(method, path, allowed)
    const caller = await callerOf(request)
    admit(caller, arrivedAt)
    if (allowed === 'GET') {
      sendModels(path, caller, response)
      return
    }

    const body = await readBody(request, limits.bodyBytes)
    if (body === undefined) return
    const model = modelOf(body)
    const endpoint = options.endpoints(caller).get(model)
    if (!endpoint) throw modelNotFound(model)
    const requestId = `req_${randomUUID()}`
    response.setHeader('x-request-id', requestId)
    const { headers } = request
    const dispatched = await dispatcher.dispatch({
      model,
      endpoint,
      target,
      headers,
      body,
      requestId,
      response,
    })
    const { refusal, firstByteAt, ...rest } = dispatched
    if (refusal) refuse(request, response, refusal)
    options.onRequestFinished?.({
      ...rest,
      caller,
      model,
      endpoint: endpoint.id,
      path,
      requestId,
      ...(firstByteAt === undefined ? {} : { firstByteMs: firstByteAt - arrivedAt }),
      totalMs: performance.now() - arrivedAt,
    })
  }

  async function callerOf({ headers }: IncomingMessage): Promise<Asker> {
    const sent = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
    const token = sent ?? options.otherToken?.(headers)
    if (token === undefined) throw notAuthorised('no token was sent')
    const caller = await options.authorise(token)
    if (!caller) throw notAuthorised('the token is not valid')
    return caller
  }

  function admit(caller: Asker, now: number): void {
    const waitSeconds = rate.take(caller.id, now)
    if (waitSeconds === 0) return
    throw tooManyRequests(`you sent more than ${limits.requestsPerMinute} requests in a minute`, waitSeconds)
  }

  function sendModels(path: string, caller: Asker, response: ServerResponse): void {
    const models = options.endpoints(caller)
    const name = path === MODELS ? undefined : decoded(path.slice(MODELS.length + 1))
    sendJson(
      response,
      200,
      JSON.stringify(name === undefined ? modelList(models) : modelEntry(name, models.get(name))),
    )
  }
}

function isModels(path: string): boolean {
  return path === MODELS || path.startsWith(`${MODELS}/`)
}

function modelList(models: ReadonlyMap<string, Endpoint>): object {
  return { object: 'list', data: [...models].map(([name, endpoint]) => modelEntry(name, endpoint)) }
}

function modelEntry(name: string, endpoint: Endpoint | undefined): object {
  if (!endpoint) throw modelNotFound(name)
  const { createdAt, ownedBy } = endpoint
  return { id: name, object: 'model', created: Math.floor(createdAt / 1000), owned_by: ownedBy }
}

function modelOf(body: Buffer): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw badBody(`the body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw badBody('the body must be a JSON object')
  }
  const model = 'model' in parsed ? parsed.model : undefined
  if (typeof model !== 'string' || model === '') throw badBody('"model" must be the name of a model', 'model')
  return model
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) {
    response.destroy()
    return
  }
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(500, 'the gateway failed; the server log says why', { type: 'server_error' })
  sendJson(response, refusal.status, refusal.body, refusal.headers)
  if (request.complete) return
  const late = setTimeout(() => request.destroy(), LINGER_MS)
  request.once('close', () => clearTimeout(late))
  request.resume()
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    .end(body)
}
