import type { TimeMs } from '../../base/index.ts'

/** Means of step functions over equal spans of time. */
export interface Series {
  readonly startMs: TimeMs
  readonly bucketMs: number
  /** One row for each function, one mean for each bucket. */
  readonly rows: readonly (readonly number[])[]
}

/** A series in the middle of its time. */
export interface StepSeriesRecord {
  readonly bucketMs: number
  readonly at: TimeMs
  readonly sums: readonly (readonly number[])[]
}

const MOST_BUCKETS = 480
const FIRST_BUCKET_MS = 1_000

/**
 * Takes step functions of time and keeps their means over at most 480 buckets, however long it goes on: when the
 * buckets are full, pairs of them are merged.
 */
export class StepSeries {
  readonly #startMs: TimeMs
  #bucketMs = FIRST_BUCKET_MS
  #at: TimeMs
  readonly #sums: Float64Array[]

  constructor(startMs: TimeMs, functions: number) {
    this.#startMs = startMs
    this.#at = startMs
    this.#sums = Array.from({ length: functions }, () => new Float64Array(MOST_BUCKETS))
  }

  /** The functions had these values from the last call, or the start, up to `until`. */
  had(values: ArrayLike<number>, until: TimeMs): void {
    while (until - this.#startMs > this.#bucketMs * MOST_BUCKETS) this.#merge()
    while (this.#at < until) {
      const bucket = Math.floor((this.#at - this.#startMs) / this.#bucketMs)
      const end = Math.min(until, this.#startMs + (bucket + 1) * this.#bucketMs)
      for (let f = 0; f < this.#sums.length; f++) this.#sums[f]![bucket]! += values[f]! * (end - this.#at)
      this.#at = end
    }
  }

  series(): Series {
    const span = this.#at - this.#startMs
    const buckets = Math.ceil(span / this.#bucketMs)
    const rows = this.#sums.map((sums) =>
      Array.from(
        { length: buckets },
        (_, b) => sums[b]! / Math.min(this.#bucketMs, span - b * this.#bucketMs),
      ),
    )
    return { startMs: this.#startMs, bucketMs: this.#bucketMs, rows }
  }

  record(): StepSeriesRecord {
    return { bucketMs: this.#bucketMs, at: this.#at, sums: this.#sums.map((sums) => [...sums]) }
  }

  load({ bucketMs, at, sums }: StepSeriesRecord): void {
    this.#bucketMs = bucketMs
    this.#at = at
    for (const [f, row] of sums.entries()) this.#sums[f]!.set(row)
  }

  #merge(): void {
    this.#bucketMs *= 2
    for (const sums of this.#sums) {
      for (let b = 0; b < MOST_BUCKETS / 2; b++) sums[b] = sums[2 * b]! + sums[2 * b + 1]!
      sums.fill(0, MOST_BUCKETS / 2)
    }
  }
}
