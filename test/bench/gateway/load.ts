/** Sends requests as its one argument, the JSON of a `Load`, says, and prints what came of them as JSON. */
import { Agent, request } from 'node:http'

export interface Load {
  readonly url: string
  readonly seconds: number
  readonly stream: boolean
  /** Tokens of each streamed answer. */
  readonly tokens: number
  /** Either so many requests at a time, each followed by the next, */
  readonly clients?: number
  /** or so many begun every second, whether or not earlier ones are answered. */
  readonly perSecond?: number
}

export interface LoadResult {
  readonly requests: number
  readonly failed: number
  readonly seconds: number
  readonly tokens: number
  readonly latenciesMs: readonly number[]
}

const load = JSON.parse(process.argv[2]!) as Load
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1_024 })
const messages = [{ role: 'user', content: 'Tell me a story of sixty words, please.' }]
const body = JSON.stringify({ model: 'm', messages, stream: load.stream, max_tokens: load.tokens })
const headers = {
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  authorization: 'Bearer bench',
}
const latenciesMs: number[] = []
let failed = 0
let tokens = 0

// Until the programs are compiled.
await run(1)
latenciesMs.length = failed = tokens = 0
const began = performance.now()
await run(load.seconds)
const seconds = (performance.now() - began) / 1000
const result: LoadResult = { requests: latenciesMs.length, failed, seconds, tokens, latenciesMs }
console.log(JSON.stringify(result))
agent.destroy()

async function run(forSeconds: number): Promise<void> {
  const until = performance.now() + forSeconds * 1000
  if (load.perSecond !== undefined) return atRate(load.perSecond, until)
  const client = async () => {
    while (performance.now() < until) await ask()
  }
  await Promise.all(Array.from({ length: load.clients ?? 1 }, client))
}

async function atRate(perSecond: number, until: number): Promise<void> {
  const answers: Promise<void>[] = []
  const began = performance.now()
  for (let now = began; now < until; now = performance.now()) {
    while (began + (answers.length * 1000) / perSecond <= now) answers.push(ask())
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
}

function ask(): Promise<void> {
  return new Promise((resolve) => {
    const sentAt = performance.now()
    const asked = request(`${load.url}/v1/chat/completions`, { method: 'POST', headers, agent }, (answer) => {
      answer.on('data', (chunk: Buffer) => {
        if (load.stream) tokens += countTokens(chunk)
      })
      answer.on('end', () => {
        if (answer.statusCode !== 200) failed++
        latenciesMs.push(Math.round((performance.now() - sentAt) * 1000) / 1000)
        resolve()
      })
    })
    asked.on('error', () => {
      failed++
      resolve()
    })
    asked.end(body)
  })
}

/** Each streamed token has one "delta"; one cut in two by a chunk's end is not counted. */
function countTokens(chunk: Buffer): number {
  let count = 0
  for (let at = chunk.indexOf('"delta"'); at >= 0; at = chunk.indexOf('"delta"', at + 7)) count++
  return count
}
