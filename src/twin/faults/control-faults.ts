import type { DurationMs } from '../../base/index.ts'
import { DAY_MS } from '../../base/index.ts'
import type { EngineFact } from '../../control/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import type { Streams } from '../kernel/streams.ts'

/** How the control plane itself fails. Rates are per day, lengths are means. */
export interface ControlFaultPlan {
  readonly crashesPerDay: number
  readonly restartMs: DurationMs
  readonly lostContactPerDay: number
  readonly lostContactMs: DurationMs
  readonly storeStallsPerDay: number
  readonly storeStallMs: DurationMs
  /** Share of facts that come late or twice. */
  readonly lateShare: number
  readonly lateMs: DurationMs
  readonly duplicateShare: number
}

export type ControlFaultOccurrence =
  | { readonly kind: 'server-crashes' }
  | { readonly kind: 'server-starts' }
  | { readonly kind: 'contact-lost' }
  | { readonly kind: 'contact-found' }
  | { readonly kind: 'store-stalls' }

/** Where in the handling of a command the process dies: its events lost, durable but not acted on, or acted on in part. */
export type CrashPoint = 'before-append' | 'after-append' | 'among-effects'
const CRASH_POINTS: readonly CrashPoint[] = ['before-append', 'after-append', 'among-effects']

/** Draws when the control plane fails and how. What follows from it is the world's. */
export class ControlFaults {
  readonly #plan: ControlFaultPlan
  readonly #streams: Streams
  readonly #agenda: (inUs: TimeUs, what: ControlFaultOccurrence) => void
  #healed = false
  /** The next command that is executed dies here. */
  armed: CrashPoint | undefined

  constructor(
    plan: ControlFaultPlan,
    streams: Streams,
    agenda: (inUs: TimeUs, what: ControlFaultOccurrence) => void,
  ) {
    this.#plan = plan
    this.#streams = streams
    this.#agenda = agenda
  }

  start(): void {
    this.planCrash()
    this.planLostContact()
    this.planStall()
  }

  heal(): void {
    this.#healed = true
    this.armed = undefined
  }

  get isHealed(): boolean {
    return this.#healed
  }

  planCrash(): void {
    this.#planNext(this.#plan.crashesPerDay, 'server-crashes')
  }

  planLostContact(): void {
    this.#planNext(this.#plan.lostContactPerDay, 'contact-lost')
  }

  planStall(): void {
    this.#planNext(this.#plan.storeStallsPerDay, 'store-stalls')
  }

  arm(): void {
    this.armed = CRASH_POINTS[this.#streams.named('control/where').below(CRASH_POINTS.length)]
  }

  restartUs(): TimeUs {
    return this.#length(this.#plan.restartMs)
  }

  lostContactUs(): TimeUs {
    return this.#length(this.#plan.lostContactMs)
  }

  stallUs(): TimeUs {
    return this.#length(this.#plan.storeStallMs)
  }

  /** By how much a fact comes late; 0 for most. */
  latenessUs(): TimeUs {
    const random = this.#streams.named('control/facts')
    return !this.#healed && random.next() < this.#plan.lateShare ? this.#length(this.#plan.lateMs) : 0
  }

  /** Whether a fact comes once more; facts of nodes do not, for an old one would undo a newer. */
  isDoubled(fact: EngineFact): boolean {
    if (!('attempt' in fact)) return false
    return !this.#healed && this.#streams.named('control/facts').next() < this.#plan.duplicateShare
  }

  #planNext(perDay: number, kind: ControlFaultOccurrence['kind']): void {
    if (perDay <= 0 || this.#healed) return
    const gapMs = this.#streams.named(`control/when/${kind}`).exponential(DAY_MS / perDay)
    this.#agenda(Math.ceil(gapMs * 1000), { kind })
  }

  #length(meanMs: DurationMs): TimeUs {
    return Math.ceil(this.#streams.named('control/length').exponential(meanMs * 1000))
  }
}
