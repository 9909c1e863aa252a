/**
 * A running hash of everything that happened: two runs with the same hash took the same steps. It is FNV-1a over
 * 32-bit words in two lanes of different offset (Fowler, Noll, Vo; prime 16777619), 64 bits in all: enough to tell
 * runs apart, no protection against somebody who wants a collision.
 */
export class TraceHash {
  #low: number
  #high: number

  constructor(low = 0x811c9dc5, high = 0x84222325) {
    this.#low = low
    this.#high = high
  }

  /** Adds a whole number below 2^53. */
  number(value: number): void {
    this.#word(value | 0)
    this.#word((value / 4294967296) | 0)
  }

  text(text: string): void {
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      low = Math.imul(low ^ code, 16777619)
      high = Math.imul(high ^ code, 16777619) ^ (high >>> 15)
    }
    this.#low = low
    this.#high = high
    this.#word(text.length)
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return hex(this.#high) + hex(this.#low)
  }

  record(): readonly [number, number] {
    return [this.#low, this.#high]
  }

  #word(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 16777619)
    // The second lane also folds its high bits down, so that the lanes do not move in step.
    this.#high = Math.imul(this.#high ^ word, 16777619) ^ (this.#high >>> 15)
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
