import type { EngineFact } from '../../control/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import type { ControlFaults } from './control-faults.ts'

/** Draws when facts come to the server; those of one attempt or node keep their order, as on the engine's cursor. */
export class FactDelays {
  readonly #faults: ControlFaults
  readonly #lastOf = new Map<string, TimeUs>()

  constructor(faults: ControlFaults) {
    this.#faults = faults
  }

  /** When the fact comes, not before now, and when it comes once more, if it does. */
  timesOf(fact: EngineFact, now: TimeUs): { readonly at: TimeUs; readonly again?: TimeUs } {
    const faults = this.#faults
    const subject =
      'attempt' in fact ? fact.attempt : typeof fact.node === 'string' ? fact.node : fact.node.id
    const at = Math.max(now + faults.latenessUs(), this.#lastOf.get(subject) ?? 0)
    const again = faults.isDoubled(fact) ? at + 1 + faults.latenessUs() : undefined
    if (at > now) this.#lastOf.set(subject, at)
    return again === undefined ? { at } : { at, again }
  }

  /** Nothing is on its way any more. */
  clear(): void {
    this.#lastOf.clear()
  }

  record(): readonly (readonly [string, TimeUs])[] {
    return [...this.#lastOf]
  }

  load(record: readonly (readonly [string, TimeUs])[]): void {
    this.#lastOf.clear()
    for (const [subject, at] of record) this.#lastOf.set(subject, at)
  }
}
