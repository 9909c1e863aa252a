const MINUTE_MS = 60_000

/** A bucket of tokens for each caller, which fills up once a minute (the generic cell rate algorithm). */
export class RateLimit {
  readonly #perMinute: number
  /** When each caller's bucket is full again, in ms of a monotonic clock. */
  readonly #fullAt = new Map<string, number>()
  #sweptAt = 0

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** 0 when the caller may go on, else the seconds to wait, rounded up. */
  take(callerId: string, now: number): number {
    this.#forgetFull(now)
    const fullAt = Math.max(now, this.#fullAt.get(callerId) ?? 0) + MINUTE_MS / this.#perMinute
    const excessMs = fullAt - now - MINUTE_MS
    if (excessMs > 0.001) return Math.ceil(excessMs / 1000)
    this.#fullAt.set(callerId, fullAt)
    return 0
  }

  #forgetFull(now: number): void {
    if (now - this.#sweptAt < MINUTE_MS) return
    this.#sweptAt = now
    for (const [id, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(id)
  }
}
