/** From 0.1 ms to a day; each bin is 2 % wider than the one below, so that what is read off is within 1 %. */
const LEAST = 1e-4
const GROWTH = Math.log(1.02)
const BINS = Math.ceil(Math.log(86_400 / LEAST) / GROWTH)

/** Counts spans by their length, in memory that does not grow with their number. Seconds. */
export class Histogram {
  readonly #bins = new Uint32Array(BINS + 1)
  #count = 0
  #sum = 0

  add(seconds: number): void {
    this.#bins[binOf(seconds)]!++
    this.#count++
    this.#sum += seconds
  }

  get count(): number {
    return this.#count
  }

  /** 0 for none. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  /** The length that this share of them does not exceed, 0 for none. */
  quantile(share: number): number {
    let left = Math.max(1, share * this.#count)
    for (let bin = 0; bin < this.#bins.length; bin++) {
      left -= this.#bins[bin]!
      if (left <= 0) return bin === 0 ? 0 : LEAST * Math.exp((bin - 0.5) * GROWTH)
    }
    return 0
  }

  /** The share of them that took at most so long; 0 for none. */
  shareWithin(seconds: number): number {
    if (this.#count === 0) return 0
    let within = 0
    for (let bin = 0; bin <= binOf(seconds); bin++) within += this.#bins[bin]!
    return within / this.#count
  }
}

/** Bin 0 is below the least. */
function binOf(seconds: number): number {
  if (seconds < LEAST) return 0
  return Math.min(BINS, 1 + Math.floor(Math.log(seconds / LEAST) / GROWTH))
}
