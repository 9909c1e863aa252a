import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { saveCheckpoint } from './checkpoint.js'
import { freePort } from './free-port.fixture.js'
import { initialise, parameterCount } from './gpt.js'

const SERVE = fileURLToPath(new URL('serve.js', import.meta.url))
const config = { context: 16, width: 32, layers: 1, heads: 2 }
const messages = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }]
let server
let client
let url

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tiny-gpt-'))
  const parameters = new Float32Array(parameterCount(config))
  initialise(config, parameters, 1)
  saveCheckpoint(folder, { step: 1, config, savedAt: '2026-01-01T00:00:00Z' }, { parameters })
  const port = await freePort()
  server = spawn(process.execPath, [SERVE], { env: { PORT: port, TINY_GPT_CHECKPOINT_DIR: folder } })
  await once(createInterface({ input: server.stdout }), 'line')
  url = `http://127.0.0.1:${port}`
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
})

afterAll(() => server.kill('SIGKILL'))

const ask = (more) =>
  client.chat.completions.create({ model: 'tiny-gpt', messages, max_tokens: 12, seed: 3, ...more })

it('is ready, and names its model', async () => {
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await client.models.list()).data).toMatchObject([{ id: 'tiny-gpt', created: 1_767_225_600 }])
})

it('answers a chat whole and streamed with the same text', async () => {
  const whole = await ask()
  expect(whole.usage).toEqual({ prompt_tokens: 5, completion_tokens: 12, total_tokens: 17 })
  expect(whole.choices[0]).toMatchObject({ finish_reason: 'length', message: { role: 'assistant' } })
  let [text, reason, usage] = ['', null, null]
  for await (const chunk of await ask({ stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? ''
    reason ??= chunk.choices[0]?.finish_reason
    usage ??= chunk.usage
  }
  expect({ text, reason, usage }).toEqual({
    text: whole.choices[0].message.content,
    reason: 'length',
    usage: whole.usage,
  })
})

it('completes a text, and ends at a stop text', async () => {
  const options = { model: 'tiny-gpt', prompt: '# A', max_tokens: 12, temperature: 0 }
  const whole = await client.completions.create(options)
  const { text } = whole.choices[0]
  const stop = text.slice(4, 6)
  const stopped = await client.completions.create({ ...options, stop })
  expect(stopped.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' })
})

describe('refusals', () => {
  it.each([
    [{ model: 'gpt-4' }, { status: 404, code: 'model_not_found' }],
    [{ temperature: 3 }, { status: 400, param: 'temperature' }],
    [{ max_tokens: 0 }, { status: 400, param: 'max_tokens' }],
    [{ messages: [] }, { status: 400, param: 'messages' }],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, { status: 400, param: 'messages' }],
    [{ n: 2 }, { status: 400, param: 'n' }],
  ])('%j', async (options, refusal) => {
    await expect(ask(options)).rejects.toMatchObject(refusal)
  })

  it('broken JSON and unknown paths', async () => {
    const post = (path, body) => fetch(`${url}${path}`, { method: 'POST', body }).then(({ status }) => status)
    expect(await post('/v1/completions', '{')).toBe(400)
    expect(await post('/v1/completions', 'null')).toBe(400)
    expect(await post('/v1/images', '{}')).toBe(404)
  })
})

it('says what to do when there is nothing to serve', () => {
  const run = (env) => spawnSync(process.execPath, [SERVE], { env, encoding: 'utf8' })
  expect(run({})).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('banyan run examples/tiny-gpt/train.yaml'),
  })
  const empty = run({ PORT: '1', TINY_GPT_CHECKPOINT_DIR: mkdtempSync(join(tmpdir(), 'tiny-gpt-')) })
  expect(empty).toMatchObject({ status: 1, stderr: expect.stringContaining('no checkpoint in') })
})
