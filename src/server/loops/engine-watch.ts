import type { Engine } from '../../control/index.ts'
import { type Ledger, StoreUnavailable } from '../ledger.ts'
import type { Log } from '../log.ts'
import type { LatestRankTimes } from '../rank-times.ts'

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 10_000
/** A single failed call is noise; contact counts as lost from the second on. */
const FAILURES_UNTIL_LOST = 2

/**
 * Brings what the engine sees into the ledger, without end. It begins with everything the engine knows, so that
 * what happened while no server ran is squared first (S4). Failing calls mark contact as lost and end nothing.
 */
export class EngineWatch {
  readonly #engine: Engine
  readonly #ledger: Ledger
  readonly #rankTimes: LatestRankTimes
  readonly #log: Log
  readonly #abort = new AbortController()
  #observing = new AbortController()
  #cursor: string | undefined
  #failures = 0
  #lost = false
  #done: Promise<void> = Promise.resolve()

  constructor(engine: Engine, ledger: Ledger, rankTimes: LatestRankTimes, log: Log) {
    this.#engine = engine
    this.#ledger = ledger
    this.#rankTimes = rankTimes
    this.#log = log
  }

  /** Resolves when the first complete observation is in the ledger, or when the engine cannot be reached yet. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = this.#watch(resolve)
    })
  }

  /** Looks at everything again, at once: effects may have been lost. */
  startOver(): void {
    this.#cursor = undefined
    this.#observing.abort()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#observing.abort()
    await this.#done
  }

  async #watch(onFirst: () => void): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        if (this.#cursor === undefined) {
          const inventory = await this.#engine.inventory()
          const outcome = await this.#execute({ kind: 'inventory', inventory })
          if (!outcome.ok) this.#log.warn({ rejection: outcome.rejection }, 'the inventory was not taken')
        }
        this.#observing = new AbortController()
        const { signal } = this.#observing
        const seen = await this.#engine.observe(this.#cursor, signal)
        this.#rankTimes.take(seen.facts)
        if (seen.facts.length > 0 || seen.complete) {
          await this.#execute({ kind: 'observe', facts: seen.facts, complete: seen.complete })
        }
        if (!signal.aborted) this.#cursor = seen.cursor
        await this.#inContact()
        onFirst()
      } catch (error) {
        if (this.#abort.signal.aborted) return
        if (error instanceof StoreUnavailable) await this.#pause(FIRST_RETRY_MS)
        else if (!this.#observing.signal.aborted) await this.#outOfContact(error)
        onFirst()
      }
    }
  }

  async #inContact(): Promise<void> {
    this.#failures = 0
    if (!this.#lost) return
    this.#lost = false
    this.#log.info({ engine: this.#engine.id }, 'the engine answers again')
    await this.#execute({ kind: 'contact', contact: 'connected' })
  }

  async #outOfContact(error: unknown): Promise<void> {
    this.#failures++
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS)
    this.#log.warn({ err: error, engine: this.#engine.id, retryInMs: delayMs }, 'the engine does not answer')
    if (this.#failures >= FAILURES_UNTIL_LOST && !this.#lost) {
      this.#lost = true
      await this.#execute({ kind: 'contact', contact: 'lost' }).catch(() => {})
    }
    await this.#pause(delayMs)
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs)
      this.#abort.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #execute(command: Parameters<Ledger['execute']>[0]): ReturnType<Ledger['execute']> {
    return this.#ledger.execute(command, { kind: 'engine', id: this.#engine.id })
  }
}
