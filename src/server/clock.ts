/** Where the server gets its time and its alarms; the twin's runs faster than the wall's. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls back once after so many milliseconds of this clock; the result cancels. */
  after(delayMs: number, callback: () => void): () => void
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export const WALL_CLOCK: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_TIMEOUT_MS))
    return () => clearTimeout(timer)
  },
}
