import type { DurationMs, RandomStream } from '../base/index.ts'
import { HOUR_MS } from '../base/index.ts'
import type { RunTimeSource } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'

/** A run whose user declared nothing and of whose like nothing is known is taken to last this long. */
export const UNKNOWN_RUN_MS: DurationMs = 4 * HOUR_MS
/** Fewer past runs than this say too little of a user; then the queue's are taken, then everybody's. */
const ENOUGH = 5
const KEPT = 48

/** The newest runs of one user, queue or of all, as shares of what was declared or as plain spans. */
interface Samples {
  readonly values: number[]
  next: number
  median: number | undefined
}

/** What a run of the same user or queue took in the past, beside what had been declared for it. Plain data in, plain data out. */
export class RunHistory {
  private readonly samples = new Map<string, Samples>()

  /** Books a run that ended by itself; runs that were evicted or cancelled say nothing. */
  add(gang: QueuedGang, ranMs: DurationMs): void {
    const declared = declaredMs(gang)
    const kind = declared === undefined ? 'span' : 'ratio'
    const value = declared === undefined ? ranMs : ranMs / Math.max(1, declared)
    for (const name of sources(gang)) this.put(`${kind} ${name}`, value)
  }

  /** The median expectation of the whole run time. */
  predict(gang: QueuedGang): DurationMs {
    const declared = declaredMs(gang)
    const samples = this.best(gang, declared === undefined ? 'span' : 'ratio')
    if (!samples) return declared ?? UNKNOWN_RUN_MS
    samples.median ??= median(samples.values)
    return declared === undefined ? samples.median : capped(gang, declared * samples.median)
  }

  /** One draw of the whole run time, longer than `ranMs`, which it has run already. */
  draw(gang: QueuedGang, ranMs: DurationMs, random: RandomStream): DurationMs {
    const declared = declaredMs(gang)
    const samples = this.best(gang, declared === undefined ? 'span' : 'ratio')
    if (!samples) {
      // Nothing is known: an even spread up to the limit, or an exponential one around the guess.
      const span = declared ?? UNKNOWN_RUN_MS
      const drawn = gang.limitMs === undefined ? random.exponential(span) : span * (0.5 + 0.5 * random.next())
      return drawn > ranMs ? capped(gang, drawn) : capped(gang, ranMs + random.exponential(span / 4))
    }
    const scale = declared ?? 1
    const start = random.below(samples.values.length)
    for (let i = 0; i < samples.values.length; i++) {
      const drawn = samples.values[(start + i) % samples.values.length]! * scale
      if (drawn > ranMs) return capped(gang, drawn)
    }
    return capped(gang, ranMs + random.exponential(Math.max(60_000, ranMs / 4)))
  }

  clone(): RunHistory {
    const copy = new RunHistory()
    for (const [name, samples] of this.samples)
      copy.samples.set(name, { ...samples, values: [...samples.values] })
    return copy
  }

  snapshot(): readonly {
    readonly name: string
    readonly values: readonly number[]
    readonly next: number
  }[] {
    return [...this.samples]
      .map(([name, { values, next }]) => ({ name, values: [...values], next }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  load(snapshot: ReturnType<RunHistory['snapshot']>): void {
    this.samples.clear()
    for (const { name, values, next } of snapshot)
      this.samples.set(name, { values: [...values], next, median: undefined })
  }

  private best(gang: QueuedGang, kind: string): Samples | undefined {
    for (const name of sources(gang)) {
      const samples = this.samples.get(`${kind} ${name}`)
      if (samples && samples.values.length >= ENOUGH) return samples
    }
    return undefined
  }

  private put(name: string, value: number): void {
    let samples = this.samples.get(name)
    if (!samples) {
      samples = { values: [], next: 0, median: undefined }
      this.samples.set(name, samples)
    }
    samples.values[samples.next] = value
    samples.next = (samples.next + 1) % KEPT
    samples.median = undefined
  }
}

/** How long it runs in all, by the source that the policy names. */
export function runTime(gang: QueuedGang, source: RunTimeSource, history: RunHistory): DurationMs {
  if (source === 'exact' && gang.exactMs !== undefined) return gang.exactMs
  if (source === 'predicted') return history.predict(gang)
  return declaredMs(gang) ?? UNKNOWN_RUN_MS
}

/** What its user said: the estimate, else the limit. */
export function declaredMs(gang: QueuedGang): DurationMs | undefined {
  return gang.expectedMs ?? gang.limitMs
}

function sources(gang: QueuedGang): readonly string[] {
  return [`user ${gang.queue} ${gang.user}`, `queue ${gang.queue}`, 'all']
}

function capped(gang: QueuedGang, span: number): DurationMs {
  return Math.ceil(gang.limitMs === undefined ? span : Math.min(span, gang.limitMs))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
