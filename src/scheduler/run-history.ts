import type { DurationMs, QueueId, UserId } from '../base/index.ts'
import { HOUR_MS, MINUTE_MS } from '../base/index.ts'
import type { RunTimeSource } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'

/** A run whose user declared nothing and of whose like nothing is known is taken to last this long. */
const UNKNOWN_RUN_MS: DurationMs = 4 * HOUR_MS
/** Fewer past runs than this say too little of a user; then the queue's are taken, then everybody's. */
const ENOUGH = 5
const KEPT = 48

/** The newest runs of one user, queue or of all, as shares of what was declared or as plain spans. */
interface Samples {
  readonly name: string
  /** In the order in which they came, the oldest overwritten. */
  readonly values: number[]
  next: number
  readonly sorted: number[]
}

/** The newest runs of one source, in the order in which they came, the oldest overwritten from `next` on. */
export interface RunsRow {
  readonly kind: 'runs'
  readonly name: string
  readonly values: readonly number[]
  readonly next: number
}

/** What a run of the same user or queue took in the past, beside what had been declared for it. Plain data in, plain data out. */
export class RunHistory {
  private readonly samples = new Map<string, Samples>()
  /** Those that are not what they were when changes were last taken. */
  private readonly changed = new Set<Samples>()
  private readonly spans = new Sources('span', this.samples)
  private readonly ratios = new Sources('ratio', this.samples)

  /** Books a run that ended by itself; runs that were evicted or cancelled say nothing. */
  add(gang: QueuedGang, ranMs: DurationMs): void {
    const declared = declaredMs(gang)
    const value = declared === undefined ? ranMs : ranMs / Math.max(1, declared)
    for (const samples of this.sourcesOf(gang, declared)) {
      put(samples, value)
      this.changed.add(samples)
    }
  }

  /** The median expectation of the whole run time. */
  predict(gang: QueuedGang): DurationMs {
    const declared = declaredMs(gang)
    const samples = this.best(gang, declared)
    if (!samples) return declared ?? UNKNOWN_RUN_MS
    return capped(gang, (declared ?? 1) * samples.sorted[samples.sorted.length >> 1]!)
  }

  /** The whole run time of a gang that has run for `ranMs`, at the quantile `u` of what is possible then (0 to 1). */
  quantile(gang: QueuedGang, ranMs: DurationMs, u: number): DurationMs {
    const declared = declaredMs(gang)
    const scale = declared ?? 1
    const sorted = this.best(gang, declared)?.sorted
    if (!sorted) {
      // Nothing is known: even between half of what was declared and all of it, or exponential around a guess.
      const span = declared ?? UNKNOWN_RUN_MS
      if (gang.limitMs === undefined) return Math.ceil(ranMs - span * Math.log(1 - u))
      const least = Math.max(ranMs, span / 2)
      return capped(gang, least + u * Math.max(0, span - least))
    }
    const above = firstAbove(sorted, ranMs / scale)
    if (above < sorted.length) {
      const at = above + Math.floor(u * (sorted.length - above))
      return capped(gang, sorted[at]! * scale)
    }
    // Longer than any before it: as much again by a quarter on average.
    return capped(gang, ranMs - Math.max(MINUTE_MS, ranMs / 4) * Math.log(1 - u))
  }

  clone(): RunHistory {
    const copy = new RunHistory()
    for (const row of this.rows().values()) copy.load(row)
    return copy
  }

  /** What is remembered, by source. */
  rows(): Map<string, RunsRow> {
    return rowsOf([...this.samples.values()].filter(({ values }) => values.length > 0))
  }

  /** Rows that have changed since changes were last taken. */
  takeChanges(): Map<string, RunsRow> {
    const rows = rowsOf(this.changed)
    this.changed.clear()
    return rows
  }

  load({ name, values, next }: RunsRow): void {
    const sorted = [...values].sort((a, b) => a - b)
    this.samples.set(name, { name, values: [...values], next, sorted })
    this.spans.clear()
    this.ratios.clear()
  }

  private best(gang: QueuedGang, declared: DurationMs | undefined): Samples | undefined {
    for (const samples of this.sourcesOf(gang, declared)) if (samples.values.length >= ENOUGH) return samples
    return undefined
  }

  private sourcesOf(gang: QueuedGang, declared: DurationMs | undefined): readonly Samples[] {
    return (declared === undefined ? this.spans : this.ratios).of(gang)
  }
}

function put(samples: Samples, value: number): void {
  const { values, sorted, next } = samples
  const oldest = values[next]
  let at = oldest === undefined ? sorted.length : firstAbove(sorted, oldest) - 1
  // Those between the old value's place and the new one's move up by one.
  for (; at > 0 && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!
  for (; at + 1 < sorted.length && sorted[at + 1]! <= value; at++) sorted[at] = sorted[at + 1]!
  sorted[at] = value
  values[next] = value
  samples.next = (next + 1) % KEPT
}

function rowsOf(samples: Iterable<Samples>): Map<string, RunsRow> {
  const rows = new Map<string, RunsRow>()
  for (const { name, values, next } of samples)
    rows.set(`runs ${name}`, { kind: 'runs', name, values: [...values], next })
  return rows
}

/** How long it runs in all, by the source that the policy names. */
export function runTime(gang: QueuedGang, source: RunTimeSource, history: RunHistory): DurationMs {
  if (source === 'exact' && gang.exactMs !== undefined) return gang.exactMs
  if (source === 'predicted') return gang.predictedMs ?? history.predict(gang)
  return declaredMs(gang) ?? UNKNOWN_RUN_MS
}

/** What its user said: the estimate, else the limit. */
function declaredMs(gang: QueuedGang): DurationMs | undefined {
  return gang.expectedMs ?? gang.limitMs
}

/** Whose past runs are looked at, the nearest first. They are looked up once for each user: they are asked for at every start. */
class Sources {
  private readonly kind: 'span' | 'ratio'
  private readonly samples: Map<string, Samples>
  private readonly byQueue = new Map<QueueId, Map<UserId, readonly Samples[]>>()

  constructor(kind: 'span' | 'ratio', samples: Map<string, Samples>) {
    this.kind = kind
    this.samples = samples
  }

  of({ queue, user }: QueuedGang): readonly Samples[] {
    let users = this.byQueue.get(queue)
    if (!users) {
      users = new Map()
      this.byQueue.set(queue, users)
    }
    let sources = users.get(user)
    if (!sources) {
      sources = [`user ${queue} ${user}`, `queue ${queue}`, 'all'].map((name) =>
        this.named(`${this.kind} ${name}`),
      )
      users.set(user, sources)
    }
    return sources
  }

  clear(): void {
    this.byQueue.clear()
  }

  private named(name: string): Samples {
    let samples = this.samples.get(name)
    if (!samples) {
      samples = { name, values: [], next: 0, sorted: [] }
      this.samples.set(name, samples)
    }
    return samples
  }
}

function capped(gang: QueuedGang, span: number): DurationMs {
  return Math.ceil(gang.limitMs === undefined ? span : Math.min(span, gang.limitMs))
}

/** The first index whose value is larger. */
function firstAbove(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}
