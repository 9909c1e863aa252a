import type { DurationMs } from '../../base/index.ts'
import { MINUTE_MS } from '../../base/index.ts'
import type { EngineFact } from '../../control/index.ts'
import { ControlFaults } from '../faults/control-faults.ts'
import { FactDelays } from '../faults/fact-delays.ts'
import { Agenda, type TimeUs } from '../kernel/agenda.ts'
import { Streams } from '../kernel/streams.ts'

/** At factor 1. No source publishes such rates; these let an operator see each within a day or two of the twin's time. */
const LOST_CONTACT_PER_DAY = 1
const LATE_SHARE = 0.05
const DOUBLED_SHARE = 0.01
const LOST_CONTACT_MS = 5 * MINUTE_MS
const LATE_MS = MINUTE_MS

type Occurrence =
  | { readonly kind: 'lost' }
  | { readonly kind: 'found' }
  | { readonly kind: 'fact'; readonly fact: EngineFact; readonly picture: number }

/**
 * What goes wrong between a live twin's server and its machine: the machine is out of reach for a while, and facts of it
 * come late or twice. The machine itself goes on.
 */
export class LiveTroubles {
  readonly #faults: ControlFaults
  readonly #delays: FactDelays
  readonly #agenda = new Agenda<Occurrence>()
  readonly #leastLostUs: TimeUs
  #now: TimeUs
  #isAway = false
  /** How often the whole picture was told; what was on its way before is part of it. */
  #pictures = 0

  /** `factor` multiplies all rates; contact is lost for `leastLostMs` or longer. */
  constructor(factor: number, seed: number, now: TimeUs, leastLostMs: DurationMs) {
    this.#now = now
    this.#leastLostUs = leastLostMs * 1000
    this.#faults = new ControlFaults(
      {
        crashesPerDay: 0,
        restartMs: 0,
        storeStallsPerDay: 0,
        storeStallMs: 0,
        lostContactPerDay: LOST_CONTACT_PER_DAY * factor,
        lostContactMs: LOST_CONTACT_MS,
        lateShare: Math.min(1, LATE_SHARE * factor),
        lateMs: LATE_MS,
        duplicateShare: Math.min(1, DOUBLED_SHARE * factor),
      },
      new Streams(seed),
      (inUs) => void this.#agenda.plan(this.#now + inUs, 0, { kind: 'lost' }),
    )
    this.#delays = new FactDelays(this.#faults)
    this.#faults.start()
  }

  /** Whether the machine is out of reach. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Takes what the machine tells now, and returns what the server gets to know of it by now, in order. */
  pass(facts: readonly EngineFact[], now: TimeUs): EngineFact[] {
    const through: EngineFact[] = []
    for (let at = this.#agenda.nextAt(); at !== undefined && at <= now; at = this.#agenda.nextAt()) {
      const next = this.#agenda.take()
      this.#now = at
      if (!next) break
      if (next.what.kind !== 'fact') this.#turn(next.what.kind)
      else if (next.what.picture === this.#pictures) through.push(next.what.fact)
    }
    this.#now = Math.max(this.#now, now)
    for (const fact of facts) {
      const { at, again } = this.#delays.timesOf(fact, now)
      const late = { kind: 'fact', fact, picture: this.#pictures } as const
      if (at <= now) through.push(fact)
      else this.#agenda.plan(at, 0, late)
      if (again !== undefined) this.#agenda.plan(again, 0, late)
    }
    return through
  }

  /** The server was told all that there is: what is still on its way would be older than that. */
  toldAll(): void {
    this.#pictures++
    this.#delays.clear()
  }

  #turn(kind: 'lost' | 'found'): void {
    if (kind === 'found') {
      this.#isAway = false
      this.#faults.planLostContact()
    } else {
      this.#isAway = true
      const lostUs = Math.max(this.#leastLostUs, this.#faults.lostContactUs())
      this.#agenda.plan(this.#now + lostUs, 0, { kind: 'found' })
    }
  }
}
