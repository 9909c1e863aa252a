import { Hono, type Context as HonoContext } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Contract, Operation, ProblemDocument } from '../api/index.ts'
import {
  contractOf,
  OPERATIONS,
  PROBLEM_MEDIA_TYPE,
  parseInput,
  problem,
  statusOf,
  TIME_HEADER,
} from '../api/index.ts'
import { authenticate, bearer, type Caller, hasRole } from './caller.ts'
import { addConsole, CONSOLE_FOLDER } from './console-files.ts'
import type { CallContext, Services } from './context.ts'
import { HANDLERS } from './handlers/index.ts'
import { jsonText } from './json-text.ts'
import { problemOfError } from './problem-of-error.ts'
import { addSignIn } from './sign-in/routes.ts'
import { sessionSecret } from './sign-in/session-cookie.ts'
import { eventStream } from './sse.ts'

/** Larger than the largest spec that is taken, with room for what JSON adds to it. */
const LARGEST_BODY_BYTES = 4 * 2 ** 20

const LONGEST_KEY = 255

/** The API over HTTP: every route of the contracts, each checked and answered in the same way; and the console beside it. */
export function createHttp(services: Services): Hono {
  const app = new Hono()
  app.use('/v1/*', bodyLimit({ maxSize: LARGEST_BODY_BYTES, onError: () => answerProblem(tooLarge()) }))
  for (const operation of OPERATIONS) {
    const contract = contractOf(operation)
    app.on(contract.method, honoPath(contract), async (call) => {
      const response = await answer(services, operation, contract, call)
      response.headers.set(TIME_HEADER, `${services.clock.now()}`)
      return response
    })
  }
  for (const [path, methods] of methodsByPath()) {
    app.all(path, (call) => answerProblem(wrongMethod(call, methods), { Allow: methods.join(', ') }))
  }
  if (services.oidc) addSignIn(app, services, services.oidc)
  addConsole(app, CONSOLE_FOLDER)
  app.notFound((call) =>
    answerProblem(
      problem('not-found', `There is no ${call.req.method} ${call.req.path}.`, {
        hint: 'GET /v1/openapi.json lists every route.',
      }),
    ),
  )
  return app
}

function honoPath({ path }: Contract): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>()
  for (const contract of OPERATIONS.map(contractOf)) {
    const path = honoPath(contract)
    methods.set(path, [...(methods.get(path) ?? []), contract.method])
  }
  return methods
}

async function answer(
  services: Services,
  operation: Operation,
  contract: Contract,
  call: HonoContext,
): Promise<Response> {
  try {
    const caller = admit(services, contract, call)
    if ('status' in caller) return answerProblem(caller)
    const input = parseInput(contract, {
      params: call.req.param(),
      query: call.req.query(),
      body: contract.body ? await readBody(call) : undefined,
    })
    if (!input.ok) return answerProblem(input.error)
    const idempotencyKey = contract.idempotent ? call.req.header('Idempotency-Key') : undefined
    if ((idempotencyKey?.length ?? 0) > LONGEST_KEY) return answerProblem(longKey())
    const context: CallContext = {
      ...services,
      caller: caller as Caller,
      idempotencyKey,
      lastEventId: call.req.header('Last-Event-ID'),
      // Made only for streams: every one that is made hangs on `stopping` for good.
      signal:
        contract.produces.kind === 'events'
          ? AbortSignal.any([call.req.raw.signal, services.stopping])
          : services.stopping,
    }
    if (contract.idempotent) services.ledger.mustBeTrue()
    else if (contract.access.scope !== 'open') await services.ledger.settled()
    const handler = HANDLERS[operation] as (input: unknown, context: CallContext) => unknown
    return await respond(contract, handler(input.value, context), context)
  } catch (error) {
    return answerProblem(problemOfError(error, services.log))
  }
}

/** Who calls, or why they may not. Open routes have no caller and never look at one. */
function admit(services: Services, contract: Contract, call: HonoContext): Caller | ProblemDocument | object {
  if (contract.access.scope === 'open') return {}
  const headerOf = (name: string) => call.req.header(name)
  const secret = bearer(headerOf('authorization')) ?? sessionSecret(contract.method, headerOf)
  const caller = secret && authenticate(services.ledger.state, secret, services.clock.now())
  if (!caller) {
    const detail = secret ? 'The token is unknown, revoked or expired.' : 'The request has no token.'
    return problem('unauthenticated', detail, {
      hint: 'Send "Authorization: Bearer TOKEN"; banyan up wrote an operator token into its data folder.',
    })
  }
  const { role } = contract.access
  if (hasRole(caller.user, role)) return caller
  return problem('forbidden', `This needs the role ${role}; ${caller.user.id} is ${caller.user.role}.`, {
    hint: 'Ask an operator or an admin of your organisation.',
  })
}

async function readBody(call: HonoContext): Promise<unknown> {
  const text = await call.req.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SyntaxError(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function respond(contract: Contract, given: unknown, context: CallContext): Promise<Response> {
  const { produces } = contract
  switch (produces.kind) {
    case 'json': {
      const value = await given
      return new Response(jsonText(value), {
        status: statusOf(contract, value),
        headers: { 'Content-Type': 'application/json' },
      })
    }
    case 'text':
      return new Response(await (given as Promise<string>), {
        headers: { 'Content-Type': produces.mediaType },
      })
    case 'file':
      return new Response(await (given as Promise<ReadableStream<Uint8Array>>), {
        headers: { 'Content-Type': produces.mediaType },
      })
    case 'events':
      return eventStream(given as AsyncIterable<{ type: string; id: string; data: unknown }>, context)
  }
}

function answerProblem(document: ProblemDocument, more: Record<string, string> = {}): Response {
  const headers: Record<string, string> = { 'Content-Type': PROBLEM_MEDIA_TYPE, ...more }
  if (document.status === 401) headers['WWW-Authenticate'] = 'Bearer'
  if (document.status === 503) headers['Retry-After'] = '1'
  return new Response(JSON.stringify(document), { status: document.status, headers })
}

function wrongMethod(call: HonoContext, methods: readonly string[]): ProblemDocument {
  return problem('wrong-method', `${call.req.path} does not take ${call.req.method}.`, {
    hint: `It takes ${methods.join(' and ')}.`,
  })
}

function longKey(): ProblemDocument {
  return problem('invalid-request', `The Idempotency-Key has more than ${LONGEST_KEY} characters.`, {
    hint: 'A random UUID will do.',
  })
}

function tooLarge(): ProblemDocument {
  return problem('too-large', `The body is larger than ${LARGEST_BODY_BYTES / 2 ** 20} MiB.`, {
    hint: 'Put data into files that the program reads, not into the spec.',
  })
}
