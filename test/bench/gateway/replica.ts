/** A model server that costs next to nothing: what is left of a request's time is the way to it and back. */
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { announce } from './child.ts'

const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(60) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 20, completion_tokens: 60, total_tokens: 80 },
})
const TOKEN = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }],
})}\n\n`

const server = createServer((request, response) => {
  void text(request).then((body) => answer(JSON.parse(body) as Asked, response))
})
server.listen(0, '127.0.0.1', () => announce(server))

interface Asked {
  readonly stream?: boolean
  readonly max_tokens?: number
}

async function answer({ stream, max_tokens: tokens = 100 }: Asked, response: ServerResponse): Promise<void> {
  if (!stream) {
    response.setHeader('content-type', 'application/json')
    response.end(ANSWER)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let left = tokens; left > 0; left--) {
    if (!response.write(TOKEN)) await new Promise((resolve) => response.once('drain', resolve))
    // One write a turn, as a model makes one token at a time.
    else await new Promise(setImmediate)
  }
  response.end('data: [DONE]\n\n')
}
