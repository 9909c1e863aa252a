interface ProgressPoint {
  readonly at: number
  readonly step: number
  readonly totalSteps?: number
  readonly loss?: number
  readonly tokens?: number
}

/** Rates are taken over this much of the past, so that they follow a change and do not jump. */
const WINDOW_MS = 20_000

/** How fast a program advances, from the progress it reports. */
export class Pace {
  #points: ProgressPoint[] = []

  /** Forgets what an earlier attempt reported. */
  reset(): void {
    this.#points = []
  }

  add(point: ProgressPoint): void {
    const last = this.latest
    if (last && point.step < last.step) this.reset()
    this.#points.push(point)
    while (this.#points.length > 2 && this.#points[1]!.at <= point.at - WINDOW_MS) this.#points.shift()
  }

  get latest(): ProgressPoint | undefined {
    return this.#points.at(-1)
  }

  get stepsPerSecond(): number | undefined {
    return this.#perSecond(({ step }) => step)
  }

  get tokensPerSecond(): number | undefined {
    return this.#perSecond(({ tokens }) => tokens)
  }

  get remainingMs(): number | undefined {
    const { latest, stepsPerSecond } = this
    if (latest?.totalSteps === undefined || !stepsPerSecond) return undefined
    return (Math.max(0, latest.totalSteps - latest.step) / stepsPerSecond) * 1_000
  }

  #perSecond(value: (point: ProgressPoint) => number | undefined): number | undefined {
    const first = this.#points[0]
    const last = this.latest
    if (!first || !last || last.at <= first.at) return undefined
    const begin = value(first)
    const end = value(last)
    if (begin === undefined || end === undefined || end <= begin) return undefined
    return ((end - begin) / (last.at - first.at)) * 1_000
  }
}
