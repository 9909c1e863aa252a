import { type Registry, Summary } from 'prom-client'
import type { EndpointTrafficView } from '../api/index.ts'
import { MINUTE_MS, SECOND_MS } from '../base/index.ts'
import type { FinishedRequest } from '../gateway/index.ts'
import type { Ledger } from './ledger.ts'

const WINDOW_MS = 5 * MINUTE_MS
const SLOT_MS = 10 * SECOND_MS
const SLOTS = WINDOW_MS / SLOT_MS

type Request = Pick<
  FinishedRequest<{ id: string }>,
  'endpoint' | 'model' | 'status' | 'complete' | 'streamed' | 'firstByteMs' | 'totalMs' | 'usage'
>
type Labels = 'workload' | 'model'
type Percentiles = NonNullable<EndpointTrafficView['latencyMs']>

/** What each endpoint was asked in the last minutes and how long it took: for the API, and for Prometheus. */
export class EndpointTraffic {
  readonly #counts = new Map<string, RecentCounts>()
  readonly #latency: Summary<Labels>
  readonly #firstToken: Summary<Labels>

  constructor(ledger: Pick<Ledger, 'subscribe'>, registry: Registry) {
    const common = {
      labelNames: ['workload', 'model'] as const,
      percentiles: [0.5, 0.99],
      maxAgeSeconds: WINDOW_MS / SECOND_MS,
      ageBuckets: 5,
      pruneAgedBuckets: true,
      registers: [registry],
    }
    this.#latency = new Summary({
      ...common,
      name: 'banyan_endpoint_latency_seconds',
      help: 'Time until the last byte of whole answers of an endpoint, over the last five minutes',
    })
    this.#firstToken = new Summary({
      ...common,
      name: 'banyan_endpoint_first_token_seconds',
      help: 'Time until the first byte of streamed answers of an endpoint, over the last five minutes',
    })
    ledger.subscribe((events) => {
      for (const { event } of events) {
        if (event.kind === 'workload-finished') this.#counts.delete(event.workload)
      }
    })
  }

  /** Takes in a request that is over; `now` is of a clock that never goes back, in milliseconds. */
  take(request: Request, now: number): void {
    const { endpoint: workload, model, status, complete, streamed, firstByteMs, totalMs, usage } = request
    const counts = this.#counts.get(workload) ?? new RecentCounts(now)
    this.#counts.set(workload, counts)
    counts.add(now, {
      requests: 1,
      errors: status === 429 || status >= 500 ? 1 : 0,
      tokens: usage?.completionTokens ?? 0,
    })
    if (!complete || status >= 400) return
    this.#latency.observe({ workload, model }, totalMs / SECOND_MS)
    if (streamed && firstByteMs !== undefined) {
      this.#firstToken.observe({ workload, model }, firstByteMs / SECOND_MS)
    }
  }

  /** The last minutes of each endpoint that was asked anything in them, by workload. */
  async recent(now: number): Promise<ReadonlyMap<string, EndpointTrafficView>> {
    const [latency, firstToken] = await Promise.all([
      percentilesOf(this.#latency),
      percentilesOf(this.#firstToken),
    ])
    const recent = new Map<string, EndpointTrafficView>()
    for (const [workload, counts] of this.#counts) {
      const { requests, errors, tokens, spanMs } = counts.recent(now)
      if (requests === 0) continue
      const latencyMs = latency.get(workload)
      const firstTokenMs = firstToken.get(workload)
      recent.set(workload, {
        windowMs: WINDOW_MS,
        requestsPerSecond: (requests * SECOND_MS) / spanMs,
        errors,
        errorShare: errors / requests,
        ...(latencyMs ? { latencyMs } : {}),
        ...(firstTokenMs ? { firstTokenMs } : {}),
        ...(tokens > 0 ? { outputTokensPerSecond: (tokens * SECOND_MS) / spanMs } : {}),
      })
    }
    return recent
  }
}

interface Counts {
  readonly requests: number
  readonly errors: number
  readonly tokens: number
}

/** Sums of the last `WINDOW_MS`, in slots that are used again. */
class RecentCounts {
  readonly #since: number
  readonly #slots: { number: number; sum: Counts }[] = []

  constructor(since: number) {
    this.#since = since
  }

  add(now: number, more: Counts): void {
    const number = Math.floor(now / SLOT_MS)
    const slot = this.#slots[number % SLOTS]
    const sum = slot?.number === number ? plus(slot.sum, more) : more
    this.#slots[number % SLOTS] = { number, sum }
  }

  /** The sums, and of how long they are: less than the window where less is known, never less than a slot. */
  recent(now: number): Counts & { readonly spanMs: number } {
    const first = Math.floor(now / SLOT_MS) - SLOTS + 1
    let sum: Counts = { requests: 0, errors: 0, tokens: 0 }
    for (const slot of this.#slots) if (slot && slot.number >= first) sum = plus(sum, slot.sum)
    return { ...sum, spanMs: Math.max(SLOT_MS, now - Math.max(this.#since, first * SLOT_MS)) }
  }
}

function plus(a: Counts, b: Counts): Counts {
  return { requests: a.requests + b.requests, errors: a.errors + b.errors, tokens: a.tokens + b.tokens }
}

/** Milliseconds by workload; those without anything in the window are left out. */
async function percentilesOf(summary: Summary<Labels>): Promise<Map<string, Percentiles>> {
  const found = new Map<string, Percentiles>()
  const { values } = await summary.get()
  for (const { labels, value } of values) {
    const { workload, quantile }: { workload?: unknown; quantile?: unknown } = labels
    if (typeof workload !== 'string' || quantile === undefined || !Number.isFinite(value)) continue
    const before = found.get(workload) ?? { p50: 0, p99: 0 }
    found.set(workload, { ...before, [quantile === 0.5 ? 'p50' : 'p99']: value * SECOND_MS })
  }
  return found
}
