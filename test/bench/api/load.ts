import { Agent, request } from 'node:http'

/** What this process is told, as JSON in its one argument. */
export interface Load {
  readonly url: string
  readonly token: string
  readonly method: 'GET' | 'POST'
  readonly body?: unknown
  readonly connections: number
  readonly seconds: number
}

/** What it prints, as JSON. Latencies in milliseconds. */
export interface LoadResult {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly answered: number
  /** Answers before or after the time that was measured. */
  readonly warmedUp: number
  /** Answers that are no success, and connections that broke. */
  readonly failed: number
}

/** Sends requests for a while, each connection the next when the last was answered; submissions with a key of their own. */
const load = JSON.parse(process.argv[2] ?? '{}') as Load
const WARM_UP_MS = 1_000
const agent = new Agent({ keepAlive: true, maxSockets: load.connections })
const body = load.body === undefined ? undefined : JSON.stringify(load.body)
const latencies: number[] = []
let failed = 0
let warmedUp = 0

const begin = performance.now()
const measureFrom = begin + WARM_UP_MS
const end = measureFrom + load.seconds * 1_000
await Promise.all(Array.from({ length: load.connections }, sendUntilEnd))
agent.destroy()
latencies.sort((a, b) => a - b)
const at = (share: number) =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
const result: LoadResult = {
  perSecond: latencies.length / load.seconds,
  p50: at(0.5),
  p99: at(0.99),
  answered: latencies.length,
  warmedUp,
  failed,
}
console.log(JSON.stringify(result))

async function sendUntilEnd(): Promise<void> {
  for (;;) {
    const sent = performance.now()
    if (sent >= end) return
    const status = await send().catch(() => 0)
    const answered = performance.now()
    if (status < 200 || status > 299) failed++
    else if (sent >= measureFrom && answered <= end) latencies.push(answered - sent)
    else warmedUp++
  }
}

function send(): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${load.token}` }
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = `${Buffer.byteLength(body)}`
      headers['idempotency-key'] = crypto.randomUUID()
    }
    const call = request(load.url, { method: load.method, agent, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', reject)
    })
    call.once('error', reject)
    call.end(body)
  })
}
