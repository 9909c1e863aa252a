import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BrokenInvariant, canonicalJson } from '../base/index.ts'
import type {
  Command,
  ControlState,
  Decision,
  Effect,
  FailureClasses,
  LoggedEvent,
  Rejection,
  Store,
} from '../control/index.ts'
import { batchOf, decide, needsPass, nextDeadline, restoreState } from '../control/index.ts'
import type { Actor } from '../model/index.ts'
import { SCHEDULER, SYSTEM } from '../model/index.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

export type Outcome =
  | { readonly ok: true; readonly events: readonly LoggedEvent[] }
  | { readonly ok: false; readonly rejection: Rejection }

/** The store did not take a command; the message says whether that is sure. The caller may try again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

const NOTHING_CHANGED = 'Nothing was changed'
const NOT_KNOWN = 'Whether the server took this is not known, and the same idempotency key will tell'

interface Waiting {
  readonly command: Command
  readonly actor: Actor
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
}

interface LedgerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly failureClasses: FailureClasses
  /** Runs what the durable events ask of the engine. */
  readonly runEffects: (effects: readonly Effect[]) => void
  /** Called after the state had to be loaded again: effects of the lost batch may be missing. */
  readonly onReload: () => void
  readonly log: Log
}

const LARGEST_BATCH = 512
/** Passes are at least this far apart, and as far as the last one took, so that a burst of submissions shares one. */
const PASS_SPACING_MS = 10
const RELOAD_RETRY_MS = 1_000

/**
 * The one writer of the state. Commands that arrive while a batch is being written wait and form the next batch
 * (group commit): each is decided, all their events are stored in one transaction, and only then is anybody
 * answered or any effect run. A scheduling pass joins the batch whose events call for one.
 *
 * When the store refuses a batch, or a decision breaks an invariant, the state in memory has run ahead of the store:
 * it is loaded again, and everybody in the batch learns whether it was written after all. While the store cannot be
 * read either, nobody is served.
 */
export class Ledger {
  readonly #options: LedgerOptions
  #state: ControlState
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #committing: Promise<void> | undefined
  /** Why the state in memory is not to be believed, while that is so. */
  #stale: StoreUnavailable | undefined
  #passWanted = true
  #nextPassAt: number | undefined
  /** False for a while after each pass. */
  #passSpaced = true
  #cancelAlarm: () => void = () => {}
  #closed = false
  readonly #emitter = new EventEmitter<{ events: [readonly LoggedEvent[]] }>()

  private constructor(options: LedgerOptions, state: ControlState) {
    this.#options = options
    this.#state = state
    this.#emitter.setMaxListeners(0)
  }

  static async open(options: LedgerOptions): Promise<Ledger> {
    const state = restoreState(await options.store.load())
    options.clock.startAt(state.now)
    return new Ledger(options, state)
  }

  /** Read it, never write it, and do not keep parts of it across an `await`. */
  get state(): ControlState {
    return this.#state
  }

  /** Resolves when the command's events are durable, or with its rejection. Rejects with `StoreUnavailable`. */
  execute(command: Command, actor: Actor): Promise<Outcome> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the server is shutting down'))
    if (this.#stale) return Promise.reject(this.#stale)
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, actor, resolve, reject })
      this.#wake()
    })
  }

  /** Resolves when all that the state then shows is durable, so that nobody reads what a crash could take back. */
  async settled(): Promise<void> {
    await this.#committing
    this.mustBeTrue()
  }

  /** Throws `StoreUnavailable` while the state in memory is not to be believed. */
  mustBeTrue(): void {
    if (this.#stale) throw this.#stale
  }

  /** Asks for a scheduling pass as soon as the spacing allows. */
  requestPass(): void {
    this.#passWanted = true
    this.#wake()
  }

  /** Calls back with each durable batch of events, or with none when some may have been missed. The result unsubscribes. */
  subscribe(listener: (events: readonly LoggedEvent[]) => void): () => void {
    this.#emitter.on('events', listener)
    return () => this.#emitter.off('events', listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelAlarm()
    await this.#running
  }

  #wake(): void {
    if (this.#running || this.#closed) return
    this.#running = this.#drain().finally(() => {
      this.#running = undefined
      if (this.#closed) return
      if (this.#queue.length > 0) this.#wake()
      else this.#setAlarm()
    })
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 || (this.#isPassDue() && !this.#closed)) {
      // Commands of one turn of the event loop share a batch, and whoever waits for `settled` reads between two.
      await nextTurn()
      this.#committing = this.#commit(this.#queue.splice(0, LARGEST_BATCH))
      await this.#committing
      this.#committing = undefined
      if (this.#stale) await this.#recover()
    }
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const decisions: Decision[] = []
    let events: LoggedEvent[] = []
    try {
      for (const { command, actor } of waiting) decisions.push(this.#decide(command, actor))
      decisions.push(...this.#followUps(decisions))
      events = decisions.flatMap((decision) => (decision.ok ? decision.events : []))
      if (events.length > 0) await this.#options.store.append(batchOf(this.#state, events))
    } catch (error) {
      const failure = this.#failureOf(error)
      const fate = await this.#reload(events)
      if (fate !== 'written') {
        for (const each of waiting)
          each.reject(fate === 'lost' ? failure : new StoreUnavailable(NOT_KNOWN, { cause: error }))
        return
      }
    }
    if (events.length > 0) this.#emitter.emit('events', events)
    waiting.forEach((each, i) => {
      each.resolve(decisions[i]!)
    })
    this.#options.runEffects(decisions.flatMap((decision) => (decision.ok ? decision.effects : [])))
  }

  #decide(command: Command, actor: Actor): Decision {
    const now = this.#options.clock.now()
    return decide(this.#state, command, { now, actor, failureClasses: this.#options.failureClasses })
  }

  /** Time limits that have come, and the pass that the batch calls for. */
  #followUps(decisions: readonly Decision[]): Decision[] {
    const followUps = this.#isDeadlineDue() ? [this.#decide({ kind: 'tick' }, SYSTEM)] : []
    if ([...decisions, ...followUps].some((decision) => decision.ok && needsPass(decision.events))) {
      this.#passWanted = true
    }
    if (!this.#isPassDue()) return followUps
    const begin = performance.now()
    const pass = this.#decide({ kind: 'schedule' }, SCHEDULER)
    this.#passWanted = false
    this.#nextPassAt = pass.ok ? pass.nextPassAt : undefined
    this.#spacePasses(Math.max(PASS_SPACING_MS, performance.now() - begin))
    return [...followUps, pass]
  }

  #isPassDue(): boolean {
    const comesDue = this.#nextPassAt !== undefined && this.#nextPassAt <= this.#options.clock.now()
    return this.#passSpaced && (this.#passWanted || comesDue)
  }

  #isDeadlineDue(): boolean {
    return (nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY) <= this.#options.clock.now()
  }

  #spacePasses(spacingMs: number): void {
    this.#passSpaced = false
    this.#options.clock.rest(spacingMs, () => {
      this.#passSpaced = true
      this.#wake()
    })
  }

  /** Wakes for the next pass or time limit that comes due without any command. */
  #setAlarm(): void {
    this.#cancelAlarm()
    const pass = this.#passSpaced ? this.#nextPassAt : undefined
    const at = Math.min(
      pass ?? Number.POSITIVE_INFINITY,
      nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY,
    )
    if (at === Number.POSITIVE_INFINITY) return
    this.#cancelAlarm = this.#options.clock.after(at - this.#options.clock.now(), () => {
      if (this.#isDeadlineDue()) void this.execute({ kind: 'tick' }, SYSTEM).catch(() => {})
      this.#wake()
    })
  }

  #failureOf(cause: unknown): Error {
    const { log } = this.#options
    if (cause instanceof BrokenInvariant) {
      log.error({ err: cause }, 'a decision broke an invariant; loading the state again')
      // It would break again at once.
      this.#spacePasses(RELOAD_RETRY_MS)
      return cause
    }
    log.warn({ err: cause }, 'the store refused a batch; loading the state again')
    return new StoreUnavailable(NOTHING_CHANGED, { cause })
  }

  /**
   * Brings back the state that the store holds. Resolves with the fate of the events that it did not confirm: a
   * connection can end between the commit and its answer.
   */
  async #reload(unconfirmed: readonly LoggedEvent[]): Promise<'written' | 'lost' | 'unknown'> {
    const { store, log, onReload } = this.#options
    try {
      const stored = await store.load()
      const written = await this.#isInLog(unconfirmed)
      this.#state = restoreState(stored)
      this.#stale = undefined
      this.#passWanted = true
      onReload()
      this.#emitter.emit('events', [])
      return written ? 'written' : 'lost'
    } catch (cause) {
      log.warn({ err: cause }, 'the store cannot be read; trying again')
      this.#stale = new StoreUnavailable(NOTHING_CHANGED, { cause })
      for (const each of this.#queue.splice(0)) each.reject(this.#stale)
      return 'unknown'
    }
  }

  async #isInLog(events: readonly LoggedEvent[]): Promise<boolean> {
    const [first] = events
    if (!first) return false
    const logged = await this.#options.store.events({ after: first.sequence - 1, limit: events.length })
    return canonicalJson(logged) === canonicalJson(events)
  }

  async #recover(): Promise<void> {
    while (this.#stale && !this.#closed) {
      await new Promise<void>((resolve) => this.#options.clock.rest(RELOAD_RETRY_MS, resolve))
      await this.#reload([])
    }
  }
}
