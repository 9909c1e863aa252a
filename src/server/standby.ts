import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { problem } from '../api/index.ts'
import { listen, type Place } from './listen.ts'

/** Set on what a standby passes on, so that two of them never pass it to each other. */
const PASSED_ON = 'x-banyan-passed-on'
/** The leader's address is asked for anew after so long, or when nobody answers there. */
const GOOD_FOR_MS = 1_000

export interface Standby {
  readonly url: string
  readonly port: number
  /** Stops answering at once: the port is free when it resolves. */
  close(): Promise<void>
}

/**
 * Answers while another server leads: every call is passed on to the leader and its answer back, streams as they
 * come. Without a leader to be reached the answer is 503, to be tried again in a second.
 */
export async function standBy(place: Place, leader: () => Promise<string | undefined>): Promise<Standby> {
  let known: { readonly url: string | undefined; readonly at: number } | undefined
  const leaderNow = async () => {
    if (!known || performance.now() - known.at > GOOD_FOR_MS)
      known = { url: await leader().catch(() => undefined), at: performance.now() }
    return known.url
  }
  const forget = () => {
    known = undefined
  }
  const http: Server = createServer((request, response) => {
    void (async () => {
      const url = request.headers[PASSED_ON] === undefined ? await leaderNow() : undefined
      if (url === undefined) refuse(response, 'no server leads at this moment')
      else passOn(request, response, url, forget)
    })()
  })
  const url = await listen(http, place)
  return {
    url,
    port: Number(new URL(url).port),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
}

function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  leader: string,
  onFailure: () => void,
): void {
  const target = new URL(request.url ?? '/', leader)
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const headers = { ...request.headers, host: target.host, [PASSED_ON]: '1' }
  const call = send(target, { method: request.method, headers: kept(headers) })
  const fail = (error: Error) => {
    onFailure()
    if (response.headersSent) response.destroy()
    else refuse(response, `the leader at ${leader} does not answer (${error.message})`)
  }
  call.once('error', fail)
  call.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, kept(answer.headers))
    response.flushHeaders()
    answer.once('error', fail)
    answer.pipe(response)
  })
  response.once('close', () => call.destroy())
  request.pipe(call)
}

/** Without what is of one connection only (RFC 9110, section 7.6.1). */
function kept(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const {
    connection: _,
    'keep-alive': __,
    'transfer-encoding': ___,
    upgrade: ____,
    te: _____,
    ...rest
  } = headers
  return rest
}

function refuse(response: ServerResponse, why: string): void {
  const document = problem('unavailable', `This server stands by, and ${why}.`, {
    hint: 'Try again in a moment: another server takes over within seconds.',
  })
  response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
  response.end(JSON.stringify(document))
}
