import { type Agent, request as httpRequest, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { GatewayLimits, Replica, TokenUsage } from './contract.ts'
import { headersForCaller } from './headers.ts'
import { UsageReader } from './usage-reader.ts'

/** What came of asking one replica. */
export type RelayOutcome =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly complete: boolean
      readonly streamed: boolean
      readonly firstByteAt?: number
      readonly usage?: TokenUsage
    }
  /** It said nothing, so another may be asked. `stale` when the connection was an old one that it had closed. */
  | { readonly kind: 'unanswered'; readonly cause: string; readonly stale: boolean }
  /** It said something that is not HTTP. */
  | { readonly kind: 'broken'; readonly cause: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'caller-gone' }

export interface RelayOrder {
  /** Undefined for a connection of its own. */
  readonly agent: Agent | undefined
  readonly replica: Replica
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
  readonly response: ServerResponse
  readonly limits: GatewayLimits
}

/**
 * Asks one replica and passes its answer on to the caller, each part as it comes. When the caller goes away the
 * replica's connection is closed, which tells it to stop. A replica that breaks off in the middle of its answer has
 * the caller's connection closed too, for nothing else says in HTTP that an answer is not whole.
 */
export function relay(order: RelayOrder): Promise<RelayOutcome> {
  const { agent, replica, path, headers, body, response, limits } = order
  if (response.destroyed) return Promise.resolve({ kind: 'caller-gone' })
  return new Promise((resolve) => {
    const asked = httpRequest(`${replica.url}${path}`, { method: 'POST', headers, agent: agent ?? false })
    let failure: 'timed-out' | 'no-connection' | undefined

    const settle = (outcome: RelayOutcome) => {
      response.off('close', onCallerGone)
      resolve(outcome)
    }
    const onCallerGone = () => {
      asked.destroy()
      settle({ kind: 'caller-gone' })
    }
    response.on('close', onCallerGone)

    asked.on('socket', (socket) => {
      if (!socket.connecting) return
      const late = setTimeout(() => {
        failure = 'no-connection'
        asked.destroy()
      }, limits.connectMs)
      socket.once('connect', () => clearTimeout(late))
      socket.once('close', () => clearTimeout(late))
    })
    asked.setTimeout(limits.silenceMs, () => {
      failure = 'timed-out'
      asked.destroy()
    })
    // Once it has answered, a failure shows on the answer itself.
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (failure === 'timed-out') return settle({ kind: 'timed-out' })
      const cause =
        failure === 'no-connection' ? `no connection within ${limits.connectMs} ms` : causeOf(error)
      if (error.code?.startsWith('HPE_')) return settle({ kind: 'broken', cause })
      settle({ kind: 'unanswered', cause, stale: asked.reusedSocket })
    })

    asked.on('response', (answer) => {
      const status = answer.statusCode ?? 502
      const reader = new UsageReader()
      let firstByteAt: number | undefined
      response.writeHead(status, headersForCaller(answer.headers))
      // Without a length it is a stream, of which the caller wants to know at once that it began.
      if (answer.headers['content-length'] === undefined) response.flushHeaders()
      answer.on('data', (chunk: Buffer) => {
        firstByteAt ??= performance.now()
        reader.pass(chunk)
        if (!response.write(chunk)) answer.pause()
      })
      response.on('drain', () => answer.resume())
      answer.on('end', () => response.end())
      answer.on('error', () => response.destroy())

      response.off('close', onCallerGone)
      response.once('close', () => {
        const complete = response.writableFinished
        if (!complete) asked.destroy()
        const { usage } = reader
        resolve({
          kind: 'answered',
          status,
          complete,
          streamed: answer.headers['content-type']?.startsWith('text/event-stream') === true,
          ...(firstByteAt === undefined ? {} : { firstByteAt }),
          ...(usage ? { usage } : {}),
        })
      })
    })
    asked.end(body)
  })
}

function causeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}
