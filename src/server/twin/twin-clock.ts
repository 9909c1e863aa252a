import { type Clock, timeout } from '../clock.ts'

/** More of the wall's time than this does not count at once: a process that stood still does not leap ahead. */
const LONGEST_STEP_MS = 250

/** A clock that goes `speed` times as fast as the wall's, and stands still while it is held. */
export class TwinClock implements Clock {
  readonly speed: number
  readonly #ticks: () => number
  #at: number
  #tick: number
  #isHeld = false

  constructor(at: number, speed: number, ticks: () => number = () => performance.now()) {
    this.speed = speed
    this.#ticks = ticks
    this.#at = at
    this.#tick = ticks()
  }

  now(): number {
    const tick = this.#ticks()
    if (!this.#isHeld) this.#at += Math.min(tick - this.#tick, LONGEST_STEP_MS) * this.speed
    this.#tick = tick
    return Math.floor(this.#at)
  }

  startAt(time: number): void {
    this.#at = Math.max(this.#at, time)
  }

  /** Time stands still, until it is told to go on. */
  hold(isHeld: boolean): void {
    this.now()
    this.#isHeld = isHeld
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.rest(delayMs / this.speed, callback)
  }

  rest(wallMs: number, callback: () => void): () => void {
    return timeout(wallMs, callback)
  }
}
