import type { TimeMs } from '../../base/index.ts'
import type { Batch, ControlState, LoggedEvent, StoredState } from '../../control/index.ts'
import { batchOf, clearDeparted, restoreState } from '../../control/index.ts'
import type { Actor, Attempt, Workload } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import { Agenda, type TimeUs } from '../kernel/agenda.ts'
import { type ServerOccurrence, SimulatedServer } from '../world/simulated-server.ts'
import type { Arrival, Arrivals } from './arrivals.ts'
import { LiveFleet } from './live-fleet.ts'
import type { LivePlan } from './live-plan.ts'
import { foundingCommands } from './population.ts'

/** A batch is written when it has so many events. */
const BATCH_EVENTS = 4_000
/** Programs are heard of so often, a share of them at a time. */
const PROGRESS_EVERY_US = 600_000_000
const PROGRESS_SHARE = 0.05

/** As on a busy server, several changes share a pass. */
const PASS_SPACING_US = 60_000_000

const RANK = { tick: 0, pass: 1 } as const

/**
 * What has happened on the machine of a live twin before anybody looked at it, as the batches that a server would have
 * written: its founding, and then its use, in virtual time and as fast as it can be computed. It goes on from any batch.
 */
export class LiveHistory {
  readonly #arrivals: Arrivals
  readonly #foundedAt: TimeMs
  readonly #batchEvents: number
  readonly #endUs: TimeUs
  readonly #fleet: LiveFleet
  readonly #server: SimulatedServer
  readonly #agenda = new Agenda<ServerOccurrence>()
  #now: TimeUs
  #nextProgress: TimeUs
  #events: LoggedEvent[] = []
  readonly #departed: ControlState['derived']['departed'] = {
    workloads: new Map(),
    attempts: new Map(),
    spans: [],
  }

  constructor(
    plan: LivePlan,
    arrivals: Arrivals,
    stored: StoredState,
    foundedAt: TimeMs,
    batchEvents = BATCH_EVENTS,
  ) {
    this.#batchEvents = batchEvents
    const state = restoreState(stored)
    const begin = Math.max(foundedAt, state.now)
    this.#arrivals = arrivals
    this.#foundedAt = foundedAt
    this.#endUs = (foundedAt + plan.historyMs) * 1000
    this.#now = begin * 1000
    this.#nextProgress = this.#now + PROGRESS_EVERY_US
    this.#fleet = new LiveFleet(plan, stored, begin)
    this.#server = new SimulatedServer({
      engine: this.#fleet.engine,
      now: () => this.#now,
      plan: (at, what) => this.#agenda.plan(at, what.kind === 'pass' ? RANK.pass : RANK.tick, what),
      cancel: (ticket) => this.#agenda.cancel(ticket),
      onEvents: (events) => this.#keep(events),
      onRestart: () => {},
      passSpacingUs: PASS_SPACING_US,
    })
    this.#server.state = state
    this.#server.startOver()
    if (stored.lastSequence > 0) {
      arrivals.skipTo(begin - foundedAt + 1)
      return
    }
    for (const command of foundingCommands(arrivals.teams)) this.#server.execute(command, SYSTEM)
  }

  /** What happened next; undefined when nothing is left to be written. Each batch is to be written before the next call. */
  next(): Batch | undefined {
    // A batch ends between two instants, so that what is gone on from knows by the time what has come.
    while ((this.#events.length < this.#batchEvents || this.#nextAt() <= this.#now) && this.#step());
    if (this.#events.length === 0) return undefined
    const { state } = this.#server
    const { departed } = state.derived
    for (const [id, workload] of this.#departed.workloads) departed.workloads.set(id, workload)
    for (const [id, attempt] of this.#departed.attempts) departed.attempts.set(id, attempt)
    departed.spans.push(...this.#departed.spans)
    const batch = batchOf(state, this.#events)
    this.#events = []
    clearDeparted(this.#departed)
    return batch
  }

  /** Lets the next thing happen, unless the history ends before it. */
  #step(): boolean {
    const at = this.#nextAt()
    const arrivalAt = this.#arrivalAt
    if (at > this.#endUs) return false
    this.#now = Math.max(this.#now, at)
    if (this.#fleet.nextAt() === at) {
      this.#fleet.advance(at)
      this.#server.observe()
    } else if (arrivalAt === at) {
      this.#submit(this.#arrivals.take())
    } else if (this.#nextProgress === at) {
      this.#nextProgress += PROGRESS_EVERY_US
      this.#fleet.advance(at)
      this.#fleet.tellProgress(Math.ceil(this.#fleet.engine.runs.size * PROGRESS_SHARE))
      this.#server.observe()
    } else {
      this.#server.happen(this.#agenda.take()!.what)
    }
    return true
  }

  #nextAt(): TimeUs {
    const serverAt = this.#agenda.nextAt() ?? Number.POSITIVE_INFINITY
    return Math.min(this.#fleet.nextAt(), this.#arrivalAt, serverAt, this.#nextProgress)
  }

  get #arrivalAt(): TimeUs {
    return (this.#foundedAt + this.#arrivals.nextAt()) * 1000
  }

  #submit({ key, owner, spec }: Arrival): void {
    const actor: Actor = { kind: 'user', id: owner.user }
    this.#server.execute(
      { kind: 'submit', owner, specs: [spec], ended: new Map(), submission: { key, requestHash: key } },
      actor,
    )
  }

  #keep(events: readonly LoggedEvent[]): void {
    for (const event of events) this.#events.push(event)
    const { departed } = this.#server.state.derived
    copy<Workload>(departed.workloads, this.#departed.workloads)
    copy<Attempt>(departed.attempts, this.#departed.attempts)
    this.#departed.spans.push(...departed.spans)
  }
}

function copy<Value extends { readonly id: string }>(
  from: ReadonlyMap<Value['id'], Value>,
  to: Map<Value['id'], Value>,
): void {
  for (const [id, value] of from) to.set(id, value)
}
