import type { World } from '../twin/index.ts'

/** On a terminal one line is written over and over; elsewhere a long run says now and then how far it is. */
const SHOWN_EVERY_S = { terminal: 0.5, elsewhere: 60 } as const

/** How far a run is, on standard error. */
export class Progress {
  readonly #world: World
  readonly #label: string
  readonly #begin = performance.now()
  readonly #stepsBefore: number
  readonly #isTerminal = process.stderr.isTTY === true
  #shownAt = 0

  constructor(world: World, label: string) {
    this.#world = world
    this.#label = label === '' ? '' : `${label}: `
    this.#stepsBefore = world.stepCount
  }

  /** Since it was made. */
  get eventsPerSecond(): number {
    return (this.#world.stepCount - this.#stepsBefore) / this.#seconds
  }

  show(): void {
    const seconds = this.#seconds
    if (seconds - this.#shownAt < SHOWN_EVERY_S[this.#isTerminal ? 'terminal' : 'elsewhere']) return
    this.#shownAt = seconds
    const { openJobs, setup } = this.#world
    const share = 1 - openJobs / setup.jobs.length
    const figures = `${(share * 100).toFixed(1)} %  ${Math.round(this.eventsPerSecond)} events/s  ${seconds.toFixed(0)} s`
    const bar = `[${'#'.repeat(Math.round(share * 30)).padEnd(30, '.')}]`
    process.stderr.write(
      this.#isTerminal ? `\r${this.#label}${bar} ${figures} ` : `${this.#label}${figures}\n`,
    )
  }

  /** Leaves the line to others. */
  clear(): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[K')
  }

  get #seconds(): number {
    return (performance.now() - this.#begin) / 1000
  }
}
