import type { Effect, Engine } from '../../control/index.ts'
import type { Log } from '../log.ts'

const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 15_000

/**
 * Carries effects to the engine: those of one attempt in order, different attempts side by side. An engine that
 * cannot be reached is tried again for as long as the server runs; effects lost in a crash are asked for again by
 * reconciliation.
 */
export class EffectRunner {
  readonly #engine: Engine
  readonly #log: Log
  readonly #chains = new Map<string, Promise<void>>()
  #closed = false

  constructor(engine: Engine, log: Log) {
    this.#engine = engine
    this.#log = log
  }

  run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const subject = subjectOf(effect)
      const before = this.#chains.get(subject) ?? Promise.resolve()
      const chain = before.then(() => this.#persist(effect))
      this.#chains.set(subject, chain)
      void chain.finally(() => {
        if (this.#chains.get(subject) === chain) this.#chains.delete(subject)
      })
    }
  }

  /** Gives up waiting effects; the next start asks for them again. */
  close(): void {
    this.#closed = true
  }

  async #persist(effect: Effect): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !this.#closed; delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS)) {
      try {
        await this.#perform(effect)
        return
      } catch (error) {
        this.#log.warn(
          { err: error, effect: effect.kind, retryInMs: delayMs },
          'the engine did not take an effect',
        )
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      }
    }
  }

  async #perform(effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'launch':
        await this.#engine.launch(effect.order)
        return
      case 'stop':
        await this.#engine.stop(effect.attempt, effect.how)
        return
      case 'node-service':
        await this.#engine.setNodeService?.(effect.node, effect.order)
        return
      case 'forget':
        await this.#engine.forget(effect.attempt)
    }
  }
}

/** What the order of effects hangs on. */
function subjectOf(effect: Effect): string {
  if (effect.kind === 'node-service') return `node ${effect.node}`
  return effect.kind === 'launch' ? effect.order.attempt : effect.attempt
}
