import { EventEmitter } from 'node:events'
import { BrokenInvariant } from '../base/index.ts'
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

/** The store did not take a batch; nothing of it happened. The caller may try again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

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
/** Passes are at least this far apart, so that a burst of submissions shares one. */
const PASS_SPACING_MS = 10
const RELOAD_RETRY_MS = 1_000

/**
 * The one writer of the state. Commands that arrive while a batch is being written wait and form the next batch
 * (group commit): each is decided, all their events are stored in one transaction, and only then is anybody
 * answered or any effect run. A scheduling pass joins the batch whose events call for one.
 *
 * When the store refuses a batch, or a decision breaks an invariant, the state in memory has run ahead of the store:
 * it is loaded again, and everybody in the batch learns that nothing happened.
 */
export class Ledger {
  readonly #options: LedgerOptions
  #state: ControlState
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #passWanted = true
  #lastPassAt = 0
  #cancelAlarm: () => void = () => {}
  #closed = false
  readonly #emitter = new EventEmitter<{ events: [readonly LoggedEvent[]] }>()

  private constructor(options: LedgerOptions, state: ControlState) {
    this.#options = options
    this.#state = state
    this.#emitter.setMaxListeners(0)
  }

  static async open(options: LedgerOptions): Promise<Ledger> {
    return new Ledger(options, restoreState(await options.store.load()))
  }

  /** Read it, never write it, and do not keep parts of it across an `await`. */
  get state(): ControlState {
    return this.#state
  }

  /** Resolves when the command's events are durable, or with its rejection. Rejects with `StoreUnavailable`. */
  execute(command: Command, actor: Actor): Promise<Outcome> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the server is shutting down; try again'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, actor, resolve, reject })
      this.#wake()
    })
  }

  /** Resolves when everything that the state shows is durable, so that nobody reads what a crash could take back. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Asks for a scheduling pass as soon as the spacing allows. */
  requestPass(): void {
    this.#passWanted = true
    this.#wake()
  }

  /** Calls back with each durable batch of events. The result unsubscribes. */
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
    // Commands of the same turn of the event loop share the batch.
    await Promise.resolve()
    while (this.#queue.length > 0 || this.#isPassDue()) {
      await this.#commit(this.#queue.splice(0, LARGEST_BATCH))
    }
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const decisions: Decision[] = []
    const all: Decision[] = []
    try {
      for (const each of waiting) decisions.push(this.#decide(each.command, each.actor))
      all.push(...decisions, ...this.#followUps(decisions))
      const events = all.flatMap((decision) => (decision.ok ? decision.events : []))
      if (events.length > 0) {
        await this.#options.store.append(batchOf(this.#state, events))
        this.#emitter.emit('events', events)
      }
    } catch (error) {
      await this.#reload(waiting, error)
      return
    }
    waiting.forEach((each, i) => {
      each.resolve(decisions[i]!)
    })
    this.#options.runEffects(all.flatMap((decision) => (decision.ok ? decision.effects : [])))
  }

  #decide(command: Command, actor: Actor): Decision {
    const now = this.#options.clock.now()
    return decide(this.#state, command, { now, actor, failureClasses: this.#options.failureClasses })
  }

  /** Time limits that have come, and the pass that the batch calls for. */
  #followUps(decisions: readonly Decision[]): Decision[] {
    const now = this.#options.clock.now()
    const due = (nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY) <= now
    const followUps = due ? [this.#decide({ kind: 'tick' }, SYSTEM)] : []
    if ([...decisions, ...followUps].some((decision) => decision.ok && needsPass(decision.events))) {
      this.#passWanted = true
    }
    if (!this.#isPassDue()) return followUps
    const pass = this.#decide({ kind: 'schedule' }, SCHEDULER)
    this.#passWanted = false
    this.#lastPassAt = this.#options.clock.now()
    this.#nextPassAt = pass.ok ? pass.nextPassAt : undefined
    return [...followUps, pass]
  }

  #nextPassAt: number | undefined

  #isPassDue(): boolean {
    const now = this.#options.clock.now()
    const wanted = this.#passWanted || (this.#nextPassAt !== undefined && this.#nextPassAt <= now)
    return wanted && now - this.#lastPassAt >= PASS_SPACING_MS
  }

  /** Wakes for the next pass or time limit that comes due without any command. */
  #setAlarm(): void {
    this.#cancelAlarm()
    const pass = this.#passWanted ? this.#lastPassAt + PASS_SPACING_MS : this.#nextPassAt
    const at = Math.min(
      pass ?? Number.POSITIVE_INFINITY,
      nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY,
    )
    if (at === Number.POSITIVE_INFINITY) return
    this.#cancelAlarm = this.#options.clock.after(at - this.#options.clock.now(), () => {
      if ((nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY) <= this.#options.clock.now()) {
        void this.execute({ kind: 'tick' }, SYSTEM).catch(() => {})
      }
      this.#wake()
    })
  }

  async #reload(waiting: readonly Waiting[], cause: unknown): Promise<void> {
    const { store, log, onReload } = this.#options
    const broken = cause instanceof BrokenInvariant
    if (broken) log.error({ err: cause }, 'a decision broke an invariant; loading the state again')
    else log.warn({ err: cause }, 'the store refused a batch; loading the state again')
    const failure = broken ? cause : new StoreUnavailable('the store did not take it', { cause })
    for (const each of waiting) each.reject(failure)
    // A decision that breaks would break again at once.
    this.#lastPassAt = this.#options.clock.now() + RELOAD_RETRY_MS
    for (;;) {
      try {
        this.#state = restoreState(await store.load())
        break
      } catch (error) {
        if (this.#closed) return
        log.warn({ err: error }, 'the store cannot be read; trying again')
        await new Promise<void>((resolve) => this.#options.clock.after(RELOAD_RETRY_MS, resolve))
      }
    }
    this.#passWanted = true
    onReload()
  }
}
