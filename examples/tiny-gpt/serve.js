// Serves the newest checkpoint of tiny-gpt with OpenAI's completions API, streamed or not.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { loadNewestCheckpoint } from './checkpoint.js'
import { generate } from './generate.js'
import { chatKind, completion, RequestError, readRequest, textKind } from './openai.js'

const LARGEST_BODY_BYTES = 1_048_576
const KINDS = { '/v1/completions': textKind, '/v1/chat/completions': chatKind }

const {
  PORT,
  HOST = '127.0.0.1',
  TINY_GPT_CHECKPOINT_DIR: folder,
  TINY_GPT_MODEL: modelName = 'tiny-gpt',
} = process.env
if (!PORT || !folder) {
  fail(
    `${PORT ? 'TINY_GPT_CHECKPOINT_DIR' : 'PORT'} is not set; train with: banyan run examples/tiny-gpt/train.yaml, ` +
      'then serve with: banyan run examples/tiny-gpt/serve.yaml',
  )
}
const checkpoint = loadNewestCheckpoint(folder)
if (!checkpoint) fail(`no checkpoint in ${folder}; train first with: banyan run examples/tiny-gpt/train.yaml`)
const model = { config: checkpoint.header.config, parameters: checkpoint.arrays.parameters }

const server = createServer(async (request, response) => {
  try {
    await answer(request, response)
  } catch (error) {
    if (response.headersSent || response.destroyed) return response.destroy()
    const { status, body } =
      error instanceof RequestError
        ? error
        : new RequestError(500, { message: error.message, type: 'server_error' })
    sendJson(response, status, body)
  }
})
server.on('error', (error) => fail(`cannot listen at ${HOST}:${PORT} (${error.code})`))
server.listen(Number(PORT), HOST, () =>
  console.log(`serving ${checkpoint.path} as ${modelName} at http://${HOST}:${PORT}`),
)
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://replica')
  const route = `${request.method} ${pathname}`
  if (route === 'GET /health')
    return sendJson(response, 200, { status: 'ready', checkpoint: checkpoint.path })
  if (route === 'GET /v1/models') return sendJson(response, 200, { object: 'list', data: [modelEntry()] })
  const kind = request.method === 'POST' ? KINDS[pathname] : undefined
  if (!kind) throw new RequestError(404, { message: `there is no ${route} here` })
  const asked = readRequest(await readJson(request), kind, modelName)
  const about = { id: randomUUID(), created: Math.floor(Date.now() / 1000), model: modelName }
  const pieces = generate(model, asked)
  if (asked.stream) await streamPieces(response, pieces, kind, about, asked)
  else await sendWhole(response, pieces, kind, about)
}

async function sendWhole(response, pieces, kind, about) {
  let text = ''
  for (;;) {
    const { value, done } = pieces.next()
    if (done) {
      const { reason, ...usage } = value
      return sendJson(response, 200, completion(kind, kind.whole, about, { text, reason, usage }))
    }
    text += value
    if (response.destroyed) return
    await nextTurn()
  }
}

async function streamPieces(response, pieces, kind, about, { includeUsage }) {
  const send = (part) =>
    response.write(`data: ${JSON.stringify(completion(kind, kind.chunk, about, part))}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  for (;;) {
    const { value, done } = pieces.next()
    if (done) {
      const { reason, ...usage } = value
      send({ text: '', reason })
      if (includeUsage) send({ usage })
      return response.end('data: [DONE]\n\n')
    }
    send({ text: value })
    if (response.destroyed) return
    // Lets other requests have their turn, and this one's bytes leave.
    await nextTurn()
  }
}

async function readJson(request) {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > LARGEST_BODY_BYTES)
      throw new RequestError(413, { message: `the body is over ${LARGEST_BODY_BYTES} bytes` })
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (error) {
    throw new RequestError(400, { message: `the body is not JSON: ${error.message}` })
  }
}

function modelEntry() {
  return {
    id: modelName,
    object: 'model',
    created: Math.floor(Date.parse(checkpoint.header.savedAt) / 1000),
    owned_by: 'banyan',
  }
}

function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
