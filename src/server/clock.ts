/** Where the server gets its time and its alarms; the twin's runs faster than the wall's. */
export interface Clock {
  /** Milliseconds since the epoch, whole; never less than what it said before. */
  now(): number
  /** Tells no earlier time than this from now on: the log has come so far already. */
  startAt(time: number): void
  /** Calls back once after so many milliseconds of this clock; the result cancels. */
  after(delayMs: number, callback: () => void): () => void
  /** The same by the wall's clock, whatever the pace of this one: for what spares the machine it runs on. */
  rest(wallMs: number, callback: () => void): () => void
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1
/** The pace at which time goes on while the wall's clock stands behind it, so that the wall can catch up. */
const PACE_WHILE_AHEAD = 0.9

/**
 * The wall's time, but steady: where the wall's clock is set back, time goes on a little slower until the wall has
 * caught up, so that nothing that was to happen in a second happens in an hour.
 */
export function steadyClock(
  wall: () => number = Date.now,
  ticks: () => number = () => performance.now(),
): Clock {
  let told = wall()
  let toldAt = ticks()
  return {
    now: () => {
      const tick = ticks()
      told = Math.max(wall(), told + (tick - toldAt) * PACE_WHILE_AHEAD)
      toldAt = tick
      return Math.floor(told)
    },
    startAt: (time) => {
      told = Math.max(told, time)
    },
    after: timeout,
    rest: timeout,
  }
}

/** Calls back once after so long; the result cancels. Longer than the host can count is as long as it can. */
export function timeout(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_TIMEOUT_MS))
  return () => clearTimeout(timer)
}
