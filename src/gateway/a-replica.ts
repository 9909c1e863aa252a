import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Replica } from './contract.ts'

export interface Asked {
  readonly request: IncomingMessage
  readonly body: Record<string, unknown>
}

/** For tests: a real HTTP server that answers as told, and remembers what it was asked. */
export interface TestReplica extends Replica {
  readonly asked: Asked[]
  readonly server: Server
  /** Connections that were ever opened to it. */
  readonly connections: Socket[]
  close(): Promise<void>
}

export async function aReplica(
  id: string,
  answer: (asked: Asked, response: ServerResponse) => void = (_, response) => sayOnce(response, id),
): Promise<TestReplica> {
  const asked: Asked[] = []
  const connections: Socket[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const one = { request, body: body as Record<string, unknown> }
      asked.push(one)
      answer(one, response)
    })
  })
  server.on('connection', (socket) => connections.push(socket))
  const url = await listen(server)
  return {
    id,
    url,
    asked,
    connections,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

/** A whole chat completion. */
function sayOnce(response: ServerResponse, content: string): void {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
    }),
  )
}

export function chunkOf(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }]
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`
}

export const LAST_CHUNKS = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [],
  usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 },
})}\n\ndata: [DONE]\n\n`

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
}
