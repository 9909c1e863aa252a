import type { DurationMs, TimeMs } from '../base/index.ts'

/** How many half-lives pass before sums are scaled back, far from the end of a double's range. */
const REBASE_HALF_LIVES = 32

/**
 * Exponential decay without touching what decays: a charge at time t is written multiplied by 2^((t - epoch)/half-life),
 * so that all sums shrink alike and comparisons need one power for each pass.
 */
export class DecayClock {
  halfLifeMs: DurationMs
  /** Seconds count from here, so that products with GPU counts stay exact whole numbers. */
  origin: TimeMs = 0
  epoch: TimeMs = 0
  /**
   * Whether origin and epoch come from what happened. Until the first charge they come from whoever looked first, be it
   * a pass that changed nothing: they are no part of the state then, and the first charge sets them anew.
   */
  anchored = false
  private started = false
  private scaleAt: TimeMs = Number.NaN
  private scaleValue = 1

  constructor(halfLifeMs: DurationMs) {
    this.halfLifeMs = halfLifeMs
  }

  /** From `epoch` on, which the caller has moved to the present if anything decays yet. */
  setHalfLife(halfLifeMs: DurationMs): void {
    this.halfLifeMs = halfLifeMs
    this.scaleAt = Number.NaN
  }

  seconds(at: TimeMs): number {
    if (!this.started) this.start(at)
    return Math.floor((at - this.origin) / 1000)
  }

  scale(at: TimeMs): number {
    if (!this.started) this.start(at)
    if (at !== this.scaleAt) {
      this.scaleAt = at
      this.scaleValue = 2 ** ((at - this.epoch) / this.halfLifeMs)
    }
    return this.scaleValue
  }

  needsRebase(at: TimeMs): boolean {
    return this.started && at - this.epoch > REBASE_HALF_LIVES * this.halfLifeMs
  }

  /** Moves epoch and origin to `now`; returns what stored sums are to be multiplied with and shifted by. */
  rebase(now: TimeMs): { readonly factor: number; readonly shiftSeconds: number } {
    const factor = 1 / this.scale(now)
    const shiftSeconds = this.seconds(now)
    this.origin += shiftSeconds * 1000
    this.epoch = now
    this.anchored = true
    this.scaleAt = Number.NaN
    return { factor, shiftSeconds }
  }

  state(): ClockState {
    const { origin, epoch, anchored, started } = this
    return { origin, epoch, anchored, started }
  }

  restore({ origin, epoch, anchored, started }: ClockState): void {
    this.origin = origin
    this.epoch = epoch
    this.anchored = anchored
    this.started = started
    this.scaleAt = Number.NaN
  }

  private start(at: TimeMs): void {
    if (!this.anchored) {
      // Whole seconds, so that shifting the origin later gives the same one wherever it began.
      this.origin = Math.floor(at / 1000) * 1000
      this.epoch = at
    }
    this.started = true
  }
}

interface ClockState {
  readonly origin: TimeMs
  readonly epoch: TimeMs
  readonly anchored: boolean
  readonly started: boolean
}
