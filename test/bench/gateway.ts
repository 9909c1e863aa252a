import { endAll, firstLineOf } from './gateway/child.ts'
import type { Load, LoadResult } from './gateway/load.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:gateway -- [--rate 1000] [--seconds 3] [--rounds 4] [--json]

What the gateway costs: requests and streamed tokens per second through it and directly, and the latency that it
adds at a fixed rate. Load, gateway and replica are processes of their own; direct and relayed rounds alternate.`

const { rate, seconds, rounds, json } = benchOptions(HELP, { rate: 1_000, seconds: 3, rounds: 4 })
const CLIENTS = 64
const TOKENS = 200

const direct = await firstLineOf('replica.ts', [])
const relayed = await firstLineOf('front.ts', [direct])
try {
  const atRate = await compare({ perSecond: rate, stream: false })
  const closed = await compare({ clients: CLIENTS, stream: false })
  const streamed = await compare({ clients: CLIENTS, stream: true })
  const latency = { direct: quantiles(atRate.direct), gateway: quantiles(atRate.gateway) }
  const report = {
    ratePerSecond: rate,
    requestsAtRate: atRate.gateway.latenciesMs.length,
    failed: [atRate, closed, streamed].reduce(
      (sum, { direct, gateway }) => sum + direct.failed + gateway.failed,
      0,
    ),
    latencyMs: latency,
    addedMs: {
      p50: round(latency.gateway.p50 - latency.direct.p50),
      p99: round(latency.gateway.p99 - latency.direct.p99),
    },
    clients: CLIENTS,
    requestsPerSecond: each(closed, ({ requests, seconds }) => Math.round(requests / seconds)),
    streamedTokensPerSecond: each(streamed, ({ tokens, seconds }) => Math.round(tokens / seconds)),
  }
  if (json) console.log(JSON.stringify(report))
  else print(report)
} finally {
  endAll()
}

interface Compared<Value> {
  readonly direct: Value
  readonly gateway: Value
}

async function compare(load: Pick<Load, 'clients' | 'perSecond' | 'stream'>): Promise<Compared<LoadResult>> {
  const results: Record<'direct' | 'gateway', LoadResult[]> = { direct: [], gateway: [] }
  for (let turn = 0; turn < rounds; turn++) {
    for (const [name, url] of [['direct', direct] as const, ['gateway', relayed] as const]) {
      const asked: Load = { ...load, url, seconds, tokens: TOKENS }
      results[name].push(JSON.parse(await firstLineOf('load.ts', [JSON.stringify(asked)])) as LoadResult)
    }
  }
  return { direct: joined(results.direct), gateway: joined(results.gateway) }
}

function joined(results: readonly LoadResult[]): LoadResult {
  const sum = (of: (result: LoadResult) => number) => results.reduce((total, result) => total + of(result), 0)
  return {
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
    seconds: sum(({ seconds }) => seconds),
    tokens: sum(({ tokens }) => tokens),
    latenciesMs: results.flatMap(({ latenciesMs }) => latenciesMs),
  }
}

function each<In, Out>({ direct, gateway }: Compared<In>, of: (value: In) => Out): Compared<Out> {
  return { direct: of(direct), gateway: of(gateway) }
}

function quantiles({ latenciesMs }: LoadResult) {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN)
  return { p50: at(0.5), p99: at(0.99) }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function print(report: {
  latencyMs: Compared<{ p50: number; p99: number }>
  addedMs: { p50: number; p99: number }
  requestsPerSecond: Compared<number>
  streamedTokensPerSecond: Compared<number>
  failed: number
}): void {
  const { latencyMs, addedMs, requestsPerSecond, streamedTokensPerSecond } = report
  const table = benchTable(
    ['', 'direct', 'gateway', 'added'],
    [
      [`p50 ms at ${rate}/s`, latencyMs.direct.p50, latencyMs.gateway.p50, addedMs.p50],
      [`p99 ms at ${rate}/s`, latencyMs.direct.p99, latencyMs.gateway.p99, addedMs.p99],
      [`requests/s, ${CLIENTS} clients`, requestsPerSecond.direct, requestsPerSecond.gateway, ''],
      [
        `streamed tokens/s, ${CLIENTS} clients`,
        streamedTokensPerSecond.direct,
        streamedTokensPerSecond.gateway,
        '',
      ],
    ],
  )
  console.log(table)
  console.log(`${report.failed} requests failed`)
}
