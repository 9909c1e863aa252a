import { assert, broken } from '../../base/index.ts'

/** Microseconds of virtual time. Always a whole number. */
export type TimeUs = number

/** Names one planned occurrence, to cancel it by; never used twice. */
export type Ticket = number

/** What happens, as plain data. */
export interface Occurrence<What> {
  readonly at: TimeUs
  /** Of occurrences at the same instant the lower rank goes first. */
  readonly rank: number
  readonly ticket: Ticket
  readonly what: What
}

/** An agenda as plain data, in the order in which it will happen. */
export interface AgendaRecord<What> {
  readonly now: TimeUs
  readonly nextTicket: Ticket
  readonly planned: readonly Occurrence<What>[]
}

/** Ranks fit beside the ticket in one double: rank x 2^45 + ticket stays a whole number. */
const TICKETS = 2 ** 45
const MOST_RANKS = 2 ** 7
/** Below this many cancelled entries sweeping them out saves nothing. */
const SWEEP_FROM = 1024

/**
 * What is still to happen, in the total order (time, rank, ticket): the same plans in the same order always come out
 * the same. Planning and taking cost O(log n); cancelling costs O(1), and cancelled entries are swept out when
 * they are the larger part.
 */
export class Agenda<What> {
  #now: TimeUs = 0
  #nextTicket: Ticket = 1
  #size = 0
  #times = new Float64Array(1024)
  #keys = new Float64Array(1024)
  #whats: What[] = []
  readonly #cancelled = new Set<Ticket>()

  /** The time of what was taken last. */
  get now(): TimeUs {
    return this.#now
  }

  get size(): number {
    return this.#size - this.#cancelled.size
  }

  plan(at: TimeUs, rank: number, what: What): Ticket {
    if (!Number.isSafeInteger(at) || at < this.#now) broken(`planned at ${at} us, it is ${this.#now} us`)
    if (rank < 0 || rank >= MOST_RANKS) broken(`rank ${rank}`)
    const ticket = this.#nextTicket++
    this.#insert(at, rank * TICKETS + ticket, what)
    return ticket
  }

  /** Takes a planned occurrence back. The ticket must be of one that has neither happened nor been cancelled. */
  cancel(ticket: Ticket): void {
    this.#cancelled.add(ticket)
    if (this.#cancelled.size > SWEEP_FROM && this.#cancelled.size * 2 > this.#size) this.#sweep()
  }

  /** When the next occurrence is, without taking it. */
  nextAt(): TimeUs | undefined {
    this.#skipCancelled()
    return this.#size > 0 ? this.#times[0] : undefined
  }

  /** The next occurrence; the clock moves to it. */
  take(): Occurrence<What> | undefined {
    this.#skipCancelled()
    if (this.#size === 0) return undefined
    const at = this.#times[0]!
    const key = this.#keys[0]!
    const what = this.#whats[0]!
    this.#removeFirst()
    this.#now = at
    const rank = Math.floor(key / TICKETS)
    return { at, rank, ticket: key - rank * TICKETS, what }
  }

  record(): AgendaRecord<What> {
    const planned: Occurrence<What>[] = []
    for (let i = 0; i < this.#size; i++) {
      const key = this.#keys[i]!
      const rank = Math.floor(key / TICKETS)
      const ticket = key - rank * TICKETS
      if (!this.#cancelled.has(ticket))
        planned.push({ at: this.#times[i]!, rank, ticket, what: this.#whats[i]! })
    }
    planned.sort((a, b) => a.at - b.at || a.rank - b.rank || a.ticket - b.ticket)
    return { now: this.#now, nextTicket: this.#nextTicket, planned }
  }

  static resume<What>(record: AgendaRecord<What>): Agenda<What> {
    const agenda = new Agenda<What>()
    agenda.#now = record.now
    agenda.#nextTicket = record.nextTicket
    for (const { at, rank, ticket, what } of record.planned) agenda.#insert(at, rank * TICKETS + ticket, what)
    return agenda
  }

  #skipCancelled(): void {
    while (this.#cancelled.size > 0 && this.#size > 0) {
      const ticket = this.#keys[0]! % TICKETS
      if (!this.#cancelled.delete(ticket)) return
      this.#removeFirst()
    }
  }

  #sweep(): void {
    const kept: [number, number, What][] = []
    for (let i = 0; i < this.#size; i++) {
      if (!this.#cancelled.has(this.#keys[i]! % TICKETS))
        kept.push([this.#times[i]!, this.#keys[i]!, this.#whats[i]!])
    }
    assert(kept.length === this.#size - this.#cancelled.size, 'a ticket was cancelled that was not planned')
    this.#cancelled.clear()
    this.#size = 0
    this.#whats.length = 0
    for (const [at, key, what] of kept) this.#insert(at, key, what)
  }

  #insert(at: TimeUs, key: number, what: What): void {
    if (this.#size === this.#times.length) this.#grow()
    const times = this.#times
    const keys = this.#keys
    const whats = this.#whats
    let i = this.#size++
    while (i > 0) {
      const parent = (i - 1) >> 1
      const time = times[parent]!
      if (time < at || (time === at && keys[parent]! < key)) break
      times[i] = time
      keys[i] = keys[parent]!
      whats[i] = whats[parent]!
      i = parent
    }
    times[i] = at
    keys[i] = key
    whats[i] = what
  }

  #removeFirst(): void {
    const times = this.#times
    const keys = this.#keys
    const whats = this.#whats
    const size = --this.#size
    const at = times[size]!
    const key = keys[size]!
    const what = whats.pop()!
    if (size === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      const right = child + 1
      if (
        right < size &&
        (times[right]! < times[child]! || (times[right]! === times[child]! && keys[right]! < keys[child]!))
      )
        child = right
      if (at < times[child]! || (at === times[child]! && key < keys[child]!)) break
      times[i] = times[child]!
      keys[i] = keys[child]!
      whats[i] = whats[child]!
      i = child
    }
    times[i] = at
    keys[i] = key
    whats[i] = what
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    const keys = new Float64Array(times.length)
    times.set(this.#times)
    keys.set(this.#keys)
    this.#times = times
    this.#keys = keys
  }
}
