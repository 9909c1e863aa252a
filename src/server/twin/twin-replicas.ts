import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../log.ts'

/** Words of an answer come so far apart. */
const WORD_MS = 25
const ANSWER =
  'This is a twin: no model runs here. The machine, its queues and its faults are simulated; the server, its scheduler and this gateway are real.'

/** What stands for all replicas of a twin's served models: an HTTP server that is healthy and answers as one would. */
export class TwinReplicas {
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** At the port that it had before, where that is still free: replicas keep their addresses. */
  static async open(port: number | undefined, log: Log): Promise<TwinReplicas> {
    try {
      return new TwinReplicas(await listen(port ?? 0))
    } catch (error) {
      log.warn(
        { err: error },
        'the port of the served models is taken; those that run answer when started again',
      )
      return new TwinReplicas(await listen(0))
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

function listen(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') {
    response.end('ok')
    return
  }
  const body = (await json(request)) as { readonly model?: string; readonly stream?: boolean }
  const isChat = request.url?.includes('chat') ?? false
  const words = ANSWER.split(' ').map((word, i) => (i === 0 ? word : ` ${word}`))
  const usage = { prompt_tokens: 8, completion_tokens: words.length, total_tokens: 8 + words.length }
  const common = { id: 'twin', created: 0, model: body.model ?? '' }
  if (!body.stream) {
    await pause(words.length * WORD_MS)
    const message = { role: 'assistant', content: ANSWER }
    const choice = isChat ? { message } : { text: ANSWER }
    const choices = [{ index: 0, finish_reason: 'stop', ...choice }]
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ ...common, object: isChat ? 'chat.completion' : 'text_completion', choices, usage }),
    )
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const object = isChat ? 'chat.completion.chunk' : 'text_completion'
  const say = (choices: readonly object[], more: object = {}) =>
    response.write(`data: ${JSON.stringify({ ...common, object, choices, ...more })}\n\n`)
  for (const word of words) {
    if (response.destroyed) return
    say([{ index: 0, finish_reason: null, ...(isChat ? { delta: { content: word } } : { text: word }) }])
    await pause(WORD_MS)
  }
  say([{ index: 0, finish_reason: 'stop', ...(isChat ? { delta: {} } : { text: '' }) }])
  say([], { usage })
  response.end('data: [DONE]\n\n')
}
