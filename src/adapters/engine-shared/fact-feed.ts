import type { DurationMs } from '../../base/index.ts'
import type { EngineFact, Observation } from '../../control/ports/index.ts'

/** Facts kept for observers that come late; one that comes later still gets the whole picture again. */
const KEPT_FACTS = 10_000

/**
 * The facts of one engine in this process, numbered. A cursor names the feed and a place in it, so that a cursor of
 * another process, or one too old, is recognised and answered with the whole picture.
 */
export class FactFeed {
  readonly #name: string
  readonly #wholePicture: () => EngineFact[]
  readonly #wakers = new Set<() => void>()
  #facts: EngineFact[] = []
  /** Number of the first kept fact. */
  #first = 0
  #isClosed = false

  /** `name` must differ between any two feeds ever; `wholePicture` tells everything that the engine knows now. */
  constructor(name: string, wholePicture: () => EngineFact[]) {
    this.#name = name
    this.#wholePicture = wholePicture
  }

  publish(...facts: EngineFact[]): void {
    this.#facts.push(...facts)
    if (this.#facts.length > 2 * KEPT_FACTS) {
      const dropped = this.#facts.length - KEPT_FACTS
      this.#facts = this.#facts.slice(dropped)
      this.#first += dropped
    }
    this.#wake()
  }

  /** Whether facts can be told from this cursor on, without the whole picture. */
  knows(cursor: string | undefined): boolean {
    return this.#placeOf(cursor) !== undefined
  }

  /** As `Engine.observe`; an aborted or closed wait ends like one in which nothing happened. */
  async observe(
    cursor: string | undefined,
    signal: AbortSignal,
    patienceMs: DurationMs,
  ): Promise<Observation> {
    const from = this.#placeOf(cursor)
    if (from === undefined) {
      return { facts: this.#wholePicture(), cursor: this.#cursor(), complete: true }
    }
    if (from === this.#end() && !signal.aborted && !this.#isClosed) await this.#change(signal, patienceMs)
    const start = this.#placeOf(cursor)
    if (start === undefined) return this.observe(undefined, signal, patienceMs)
    return { facts: this.#facts.slice(start - this.#first), cursor: this.#cursor(), complete: false }
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }

  #change(signal: AbortSignal, patienceMs: DurationMs): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wakers.delete(done)
        resolve()
      }
      const timer = setTimeout(done, patienceMs)
      signal.addEventListener('abort', done)
      this.#wakers.add(done)
    })
  }

  #end(): number {
    return this.#first + this.#facts.length
  }

  #cursor(): string {
    return `${this.#name}:${this.#end()}`
  }

  #placeOf(cursor: string | undefined): number | undefined {
    const [name, place] = cursor?.split(':') ?? []
    if (name !== this.#name) return undefined
    const number = Number(place)
    return Number.isInteger(number) && number >= this.#first && number <= this.#end() ? number : undefined
  }
}
