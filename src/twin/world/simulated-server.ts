import type { AttemptId, TimeMs } from '../../base/index.ts'
import type { Command, ControlState, Decision, Effect, EngineFact, LoggedEvent } from '../../control/index.ts'
import {
  batchOf,
  clearDeparted,
  DEFAULT_FAILURE_CLASSES,
  decide,
  emptyState,
  needsPass,
  nextDeadline,
  restoreState,
} from '../../control/index.ts'
import type { Actor } from '../../model/index.ts'
import { SCHEDULER, SYSTEM } from '../../model/index.ts'
import type { ControlFaultOccurrence, ControlFaults } from '../faults/control-faults.ts'
import { FactDelays } from '../faults/fact-delays.ts'
import type { ModelStore } from '../faults/model-store.ts'
import type { SimulatedEngine } from '../fleet/simulated-engine.ts'
import type { Ticket, TimeUs } from '../kernel/agenda.ts'

/** What the server plans for itself. `life` tells what was in flight when an earlier life of it ended. */
export type ServerOccurrence =
  | { readonly kind: 'pass' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'fact'; readonly fact: EngineFact; readonly life: number }
  | ControlFaultOccurrence

/** When things may go wrong: where what is durable lives, and what fails. */
export interface FailingServer {
  readonly store: ModelStore
  readonly faults: ControlFaults
}

export interface ServerOptions {
  readonly engine: SimulatedEngine
  readonly now: () => TimeUs
  readonly plan: (at: TimeUs, what: ServerOccurrence) => Ticket
  readonly cancel: (ticket: Ticket) => void
  /** Sees events as soon as they are durable, before any effect of them. */
  readonly onEvents: (events: readonly LoggedEvent[]) => void
  readonly onRestart: () => void
  readonly failing?: FailingServer
  /** Passes are at least this far apart; absent: each follows at once. */
  readonly passSpacingUs?: TimeUs
}

/** What a server has in memory beside the state. */
export interface ServerRecord {
  readonly life: number
  readonly downUntil: TimeUs
  readonly stalledUntil: TimeUs
  readonly inContact: boolean
  readonly untaken: readonly EngineFact[]
  readonly unperformed: readonly Effect[]
  readonly lastFactOf: readonly (readonly [string, TimeUs])[]
  readonly passTicket?: Ticket
  readonly passAt?: TimeUs
  readonly tickAt?: TimeUs
}

/** The command was being handled when the process died: whether its events are durable the caller has to find out. */
export type Outcome = Decision | 'died'

const ENGINE: Actor = { kind: 'engine', id: 'twin' }

/**
 * The control plane's process in virtual time: it does in each instant what the real server's loops do. Commands are
 * decided and made durable, then their effects are carried to the engine; facts come back as commands; a pass follows
 * where events call for one. It can die at any of these steps, be cut off from the engine, or wait for its store.
 */
export class SimulatedServer {
  state: ControlState = emptyState()
  readonly #options: ServerOptions
  #life = 1
  #downUntil = 0
  #stalledUntil = 0
  #inContact = true
  #untaken: EngineFact[] = []
  #unperformed: Effect[] = []
  readonly #delays: FactDelays | undefined
  #passTicket: Ticket | undefined
  #passAt = Number.POSITIVE_INFINITY
  #lastPassAt = Number.NEGATIVE_INFINITY
  #tickAt = Number.POSITIVE_INFINITY

  constructor(options: ServerOptions) {
    this.#options = options
    this.#delays = options.failing && new FactDelays(options.failing.faults)
  }

  /** From when on it takes commands; not later than now while it does. */
  get servesFrom(): TimeUs {
    return Math.max(this.#downUntil, this.#stalledUntil)
  }

  get isServing(): boolean {
    return this.servesFrom <= this.#options.now()
  }

  get isInContact(): boolean {
    return this.#inContact
  }

  /** Only while it serves. */
  execute(command: Command, actor: Actor): Outcome {
    const { failing, onEvents, now } = this.#options
    const armed = failing?.faults.armed
    const decision = decide(this.state, command, {
      now: this.#nowMs,
      actor,
      failureClasses: DEFAULT_FAILURE_CLASSES,
    })
    if (!decision.ok) return decision
    if (decision.events.length > 0) {
      if (armed === 'before-append') return this.#die()
      if (failing) failing.store.append(batchOf(this.state, decision.events))
      onEvents(decision.events)
      clearDeparted(this.state.derived.departed)
      if (armed === 'after-append') return this.#die()
    }
    const { effects } = decision
    for (let i = 0; i < effects.length; i++) {
      if (armed === 'among-effects' && i === effects.length >> 1) return this.#die()
      this.#perform(effects[i]!)
    }
    if (needsPass(decision.events)) this.#planPass(now())
    for (const { event } of decision.events) {
      if (event.kind === 'attempt-running' && this.#probe(event.attempt) === 'died') return 'died'
    }
    return decision
  }

  happen(what: ServerOccurrence): void {
    const { failing, now, plan } = this.#options
    switch (what.kind) {
      case 'pass':
        this.#passTicket = undefined
        this.#passAt = Number.POSITIVE_INFINITY
        if (this.isServing) this.#pass()
        else if (now() >= this.#downUntil) this.#planPass(this.servesFrom)
        return
      case 'tick':
        this.#tickAt = Number.POSITIVE_INFINITY
        if (this.isServing) this.execute({ kind: 'tick' }, SYSTEM)
        this.observe()
        return
      case 'fact':
        if (what.life === this.#life) this.#take([what.fact])
        return
      case 'server-crashes':
        if (!failing || failing.faults.isHealed) return
        failing.faults.planCrash()
        if (this.isServing) failing.faults.arm()
        return
      case 'server-starts':
        this.#start()
        return
      case 'contact-lost':
        if (!failing || failing.faults.isHealed) return
        failing.faults.planLostContact()
        if (!this.#inContact || now() < this.#downUntil) return
        this.#inContact = false
        plan(now() + failing.faults.lostContactUs(), { kind: 'contact-found' })
        if (this.isServing) this.execute({ kind: 'contact', contact: 'lost' }, ENGINE)
        return
      case 'contact-found':
        if (this.#inContact) return
        this.#inContact = true
        this.#resume()
        return
      case 'store-stalls':
        if (!failing || failing.faults.isHealed) return
        failing.faults.planStall()
        this.#stalledUntil = now() + failing.faults.stallUs()
        plan(this.#stalledUntil, { kind: 'contact-found' })
    }
  }

  /** Brings what the engine saw to the ledger, now or, when facts are late, later. */
  observe(): void {
    const { engine } = this.#options
    const delays = this.#delays
    for (let facts = engine.takeFacts(); facts.length > 0; facts = engine.takeFacts()) {
      this.#take(delays ? facts.filter((fact) => !this.#delay(fact, delays)) : facts)
    }
    this.#planTick()
  }

  /** Everything that an operator would look at anew after a fault: the whole inventory, and all that the engine knows. */
  startOver(): void {
    const { engine, now } = this.#options
    if (this.execute({ kind: 'inventory', inventory: engine.inventory() }, ENGINE) === 'died') return
    if (this.execute({ kind: 'observe', facts: engine.tellAll(now()), complete: true }, ENGINE) === 'died')
      return
    for (const attempt of this.state.attempts.keys()) if (this.#probe(attempt) === 'died') return
    this.observe()
  }

  record(): ServerRecord {
    return {
      life: this.#life,
      downUntil: this.#downUntil,
      stalledUntil: this.#stalledUntil,
      inContact: this.#inContact,
      untaken: [...this.#untaken],
      unperformed: [...this.#unperformed],
      lastFactOf: this.#delays?.record() ?? [],
      ...(this.#passTicket !== undefined ? { passTicket: this.#passTicket, passAt: this.#passAt } : {}),
      ...(this.#tickAt !== Number.POSITIVE_INFINITY ? { tickAt: this.#tickAt } : {}),
    }
  }

  /** Goes on where the record was made; the state is set by the caller. */
  load(record: ServerRecord): void {
    this.#life = record.life
    this.#downUntil = record.downUntil
    this.#stalledUntil = record.stalledUntil
    this.#inContact = record.inContact
    this.#untaken = [...record.untaken]
    this.#unperformed = [...record.unperformed]
    this.#delays?.load(record.lastFactOf)
    this.#passTicket = record.passTicket
    this.#passAt = record.passAt ?? Number.POSITIVE_INFINITY
    this.#tickAt = record.tickAt ?? Number.POSITIVE_INFINITY
  }

  get #nowMs(): TimeMs {
    return Math.floor(this.#options.now() / 1000)
  }

  #pass(): void {
    const { waiting, elasticCount } = this.state.derived.machine
    if (waiting.entries.size === 0 && this.state.holds.size === 0 && elasticCount === 0) return
    this.#lastPassAt = this.#options.now()
    const decision = this.execute({ kind: 'schedule' }, SCHEDULER)
    if (decision === 'died') return
    if (decision.ok && decision.nextPassAt !== undefined) this.#planPass(decision.nextPassAt * 1000)
    this.observe()
  }

  #planPass(wanted: TimeUs): void {
    const { plan, cancel, now, passSpacingUs } = this.#options
    const at = Math.max(wanted, now(), this.#lastPassAt + (passSpacingUs ?? 0))
    if (at >= this.#passAt) return
    if (this.#passTicket !== undefined) cancel(this.#passTicket)
    this.#passAt = at
    this.#passTicket = plan(at, { kind: 'pass' })
  }

  #planTick(): void {
    const deadline = nextDeadline(this.state)
    if (deadline === undefined || deadline * 1000 >= this.#tickAt) return
    this.#tickAt = Math.max(deadline * 1000, this.#options.now(), this.servesFrom)
    this.#options.plan(this.#tickAt, { kind: 'tick' })
  }

  /** A replica answers as soon as it runs: loading the model is part of its start. */
  #probe(attempt: AttemptId): Outcome | undefined {
    const found = this.state.attempts.get(attempt)
    if (found?.state !== 'running' || found.ready) return undefined
    if (this.state.workloads.get(found.workload)?.spec.type !== 'serve') return undefined
    return this.execute({ kind: 'probe', attempt, ready: true, detail: '200' }, SYSTEM)
  }

  /** Holds a fact back for a while, where it is late. */
  #delay(fact: EngineFact, delays: FactDelays): boolean {
    const { now, plan } = this.#options
    const { at, again } = delays.timesOf(fact, now())
    const late = { kind: 'fact', fact, life: this.#life } as const
    if (again !== undefined) plan(again, late)
    if (at <= now()) return false
    plan(at, late)
    return true
  }

  #take(facts: readonly EngineFact[]): void {
    if (facts.length === 0) return
    if (!this.isServing || !this.#inContact || this.#untaken.length > 0) {
      this.#untaken.push(...facts)
      if (this.isServing && this.#inContact) this.#resume()
      return
    }
    this.execute({ kind: 'observe', facts, complete: false }, ENGINE)
  }

  /** Does what had to wait for contact or for the store. */
  #resume(): void {
    if (!this.isServing || !this.#inContact) return
    const effects = this.#unperformed
    const facts = this.#untaken
    this.#unperformed = []
    this.#untaken = []
    for (const effect of effects) this.#perform(effect)
    if (this.execute({ kind: 'contact', contact: 'connected' }, ENGINE) === 'died') return
    if (facts.length > 0 && this.execute({ kind: 'observe', facts, complete: false }, ENGINE) === 'died')
      return
    this.observe()
  }

  #perform(effect: Effect): void {
    const { engine, now } = this.#options
    if (!this.#inContact) {
      this.#unperformed.push(effect)
      return
    }
    switch (effect.kind) {
      case 'launch':
        engine.launch(effect.order, now())
        return
      case 'stop':
        engine.stop(effect.attempt, effect.how, now())
        return
      case 'forget':
        engine.forget(effect.attempt)
    }
  }

  /** The process is gone with all it had in memory; another one will start. */
  #die(): 'died' {
    const { failing, now } = this.#options
    if (failing) failing.faults.armed = undefined
    this.#life++
    this.#unperformed = []
    this.#untaken = []
    this.#delays?.clear()
    this.#inContact = true
    this.#startAt(now() + (failing?.faults.restartUs() ?? 0) + 1)
    return 'died'
  }

  /** It is down at that moment too, until it has started: what comes first then meets no server. */
  #startAt(at: TimeUs): void {
    this.#downUntil = at + 1
    this.#options.plan(at, { kind: 'server-starts' })
  }

  #start(): void {
    const { failing, onRestart, now } = this.#options
    if (!failing) return
    // The store stalls: it cannot be read yet.
    if (this.#stalledUntil > now()) {
      this.#startAt(this.#stalledUntil)
      return
    }
    this.#downUntil = now()
    this.state = restoreState(failing.store.load())
    this.#tickAt = Number.POSITIVE_INFINITY
    onRestart()
    this.#planPass(now())
    this.startOver()
  }
}
