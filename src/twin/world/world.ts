import type { DurationMs, OrganisationId, TeamId, TimeMs, UserId, WorkloadId } from '../../base/index.ts'
import { assert, id, present } from '../../base/index.ts'
import type { Command, ControlState, Decision, Effect, LoggedEvent } from '../../control/index.ts'
import { DEFAULT_FAILURE_CLASSES, decide, emptyState, needsPass, nextDeadline } from '../../control/index.ts'
import type { Actor, NodeDescription, Owner, Policy, Queue } from '../../model/index.ts'
import { SCHEDULER, SYSTEM, teamId } from '../../model/index.ts'
import { FaultInjector, type FaultOccurrence, type FaultPlan } from '../faults/fault-injector.ts'
import { type FabricShares, Pace } from '../fleet/pace.ts'
import type { Run } from '../fleet/run.ts'
import { type FleetOccurrence, type RunEnd, SimulatedEngine } from '../fleet/simulated-engine.ts'
import { Agenda, type Ticket, type TimeUs } from '../kernel/agenda.ts'
import { Streams } from '../kernel/streams.ts'
import { TraceHash } from '../kernel/trace-hash.ts'
import type { SimulatedJob } from './simulated-job.ts'
import { tenantNames } from './tenant-names.ts'

/** Everything that a run follows from. */
export interface WorldSetup {
  readonly seed: number
  readonly startMs: TimeMs
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  readonly policy: Policy
  /** Settings of tenants' queues, in their place of the open ones that each gets. */
  readonly queues?: readonly Queue[]
  /** In order of submission. */
  readonly jobs: readonly SimulatedJob[]
  readonly fabric?: FabricShares
  readonly faults?: FaultPlan
  readonly tellSaves?: boolean
  /** Nothing happens later than this after the start. */
  readonly horizonMs?: DurationMs
}

/** Sees every event right after it was decided, and every run as it ends. It may read the world and change nothing. */
export interface Observer {
  readonly onEvents?: (events: readonly LoggedEvent[], world: World) => void
  readonly onRunEnd?: (run: Run, end: RunEnd) => void
}

export type Happening =
  | FleetOccurrence
  | FaultOccurrence
  | { readonly kind: 'submit'; readonly job: number }
  | { readonly kind: 'tick' }
  | { readonly kind: 'pass' }

/** At one instant the fleet goes first, so that what was freed is free for whoever arrives; the pass goes last and sees all. */
const RANK = { fleet: 0, fault: 1, submit: 2, tick: 3, pass: 4 } as const

export const TWIN_ORGANISATION = id<OrganisationId>('twin')
const ENGINE: Actor = { kind: 'engine', id: 'twin' }

/**
 * One simulated world: the real control and scheduler on a virtual clock, over a fleet that exists only in it. It runs
 * as long as there is anything to happen; the same setup always gives the same steps.
 */
export class World {
  readonly setup: WorldSetup
  readonly streams: Streams
  readonly engine: SimulatedEngine
  readonly hash = new TraceHash()
  readonly jobOf = new Map<WorkloadId, number>()
  state: ControlState = emptyState()
  eventCount = 0
  stepCount = 0
  /** Submissions that have neither come nor ended nor been refused. */
  openJobs: number
  /** Submissions that control refused, with its words. */
  readonly refused: string[] = []
  readonly #agenda = new Agenda<Happening>()
  readonly #pace: Pace
  readonly #faults: FaultInjector | undefined
  readonly #observers: readonly Observer[]
  readonly #teams: ReadonlyMap<string, string>
  #passTicket: Ticket | undefined
  #passAt = Number.POSITIVE_INFINITY
  #tickAt = Number.POSITIVE_INFINITY

  constructor(setup: WorldSetup, observers: readonly Observer[] = []) {
    this.setup = setup
    this.#observers = observers
    this.streams = new Streams(setup.seed)
    this.openJobs = setup.jobs.length
    this.#teams = tenantNames(setup.jobs.map((job) => job.tenant))
    this.#pace = new Pace(setup.fabric)
    this.#faults =
      setup.faults &&
      new FaultInjector(setup.faults, setup.nodes, this.streams, (inUs, what) => {
        this.#agenda.plan(this.nowUs + inUs, RANK.fault, what)
      })
    this.engine = new SimulatedEngine(
      {
        levels: setup.levels,
        nodes: setup.nodes,
        behaviourOf: (order) => this.jobOfWorkload(order.workload).behaviour,
        speeds: this.#pace,
        tellSaves: setup.tellSaves ?? false,
        onEnd: (run, end) => {
          for (const observer of observers) observer.onRunEnd?.(run, end)
        },
      },
      {
        plan: (at, what) => this.#agenda.plan(at, RANK.fleet, what),
        cancel: (ticket) => this.#agenda.cancel(ticket),
      },
    )
    this.#found()
  }

  /** Microseconds of virtual time. */
  get nowUs(): TimeUs {
    return this.#agenda.now
  }

  get nowMs(): TimeMs {
    return Math.floor(this.#agenda.now / 1000)
  }

  jobOfWorkload(workload: WorkloadId): SimulatedJob {
    const job = present(this.jobOf.get(workload), `job of ${workload}`)
    return present(this.setup.jobs[job], `job ${job}`)
  }

  /** Takes up to `count` steps; fewer mean that all work has ended, that nothing can happen any more, or the horizon. */
  run(count = Number.POSITIVE_INFINITY): number {
    const { startMs, horizonMs = Number.POSITIVE_INFINITY } = this.setup
    const horizon = (startMs + horizonMs) * 1000
    for (let steps = 0; steps < count; steps++) {
      const at = this.openJobs === 0 ? undefined : this.#agenda.nextAt()
      if (at === undefined || at > horizon) return steps
      const next = present(this.#agenda.take(), 'next occurrence')
      this.stepCount++
      this.hash.number(next.at)
      this.#happen(next.what)
    }
    return count
  }

  #happen(what: Happening): void {
    switch (what.kind) {
      case 'submit':
        this.#submit(what.job)
        return
      case 'pass':
        this.#pass()
        return
      case 'tick':
        this.#tickAt = Number.POSITIVE_INFINITY
        this.#execute({ kind: 'tick' }, SYSTEM)
        this.#planTick()
        return
      case 'fault':
      case 'node-breaks':
      case 'node-repaired':
      case 'node-slows':
      case 'node-recovers':
        this.#faults?.happen(what, this.engine, this.#pace, this.nowUs)
        this.#observe()
        return
      default:
        this.engine.happen(what, this.nowUs)
        this.#observe()
    }
  }

  /** Tenants, queues, policy and nodes are there before the first job. */
  #found(): void {
    const { setup } = this
    this.#agenda.plan(setup.startMs * 1000, RANK.submit, { kind: 'tick' })
    this.#happen(this.#agenda.take()!.what)
    this.#execute({ kind: 'set-policy', policy: setup.policy }, SYSTEM)
    this.#execute({ kind: 'create-organisation', organisation: TWIN_ORGANISATION }, SYSTEM)
    for (const name of this.#teams.values()) {
      const team = { id: teamId(TWIN_ORGANISATION, name), organisation: TWIN_ORGANISATION }
      this.#execute({ kind: 'create-team', team }, SYSTEM)
    }
    for (const queue of setup.queues ?? []) this.#execute({ kind: 'set-queue', queue }, SYSTEM)
    this.#execute({ kind: 'inventory', inventory: this.engine.inventory() }, ENGINE)
    if (setup.jobs.length > 0) this.#planSubmit(0)
    this.#faults?.start()
  }

  #planSubmit(job: number): void {
    const { submitMs } = present(this.setup.jobs[job], `job ${job}`)
    assert(submitMs >= this.nowMs, `job ${job} is submitted at ${submitMs} ms, before ${this.nowMs} ms`)
    this.#agenda.plan(submitMs * 1000, RANK.submit, { kind: 'submit', job })
  }

  #submit(index: number): void {
    if (index + 1 < this.setup.jobs.length) this.#planSubmit(index + 1)
    const job = this.setup.jobs[index]!
    this.jobOf.set(id<WorkloadId>(`w${this.state.nextWorkloadNumber}`), index)
    const command = { kind: 'submit', owner: this.#owner(job), specs: [job.spec], ended: new Map() } as const
    const decision = this.#execute(command, { kind: 'user', id: job.user })
    if (decision.ok) return
    this.openJobs--
    this.refused.push(`${job.spec.name}: ${decision.rejection.message}`)
  }

  #owner(job: SimulatedJob): Owner {
    const team: TeamId = teamId(
      TWIN_ORGANISATION,
      present(this.#teams.get(job.tenant), `team of ${job.tenant}`),
    )
    return { organisation: TWIN_ORGANISATION, team, user: id<UserId>(job.user) }
  }

  #pass(): void {
    this.#passTicket = undefined
    this.#passAt = Number.POSITIVE_INFINITY
    if (this.state.derived.machine.waiting.entries.size === 0 && this.state.holds.size === 0) return
    const decision = this.#execute({ kind: 'schedule' }, SCHEDULER)
    if (decision.ok && decision.nextPassAt !== undefined) this.#planPass(decision.nextPassAt * 1000)
    this.#observe()
  }

  #planPass(at: TimeUs): void {
    if (at >= this.#passAt) return
    if (this.#passTicket !== undefined) this.#agenda.cancel(this.#passTicket)
    this.#passAt = Math.max(at, this.nowUs)
    this.#passTicket = this.#agenda.plan(this.#passAt, RANK.pass, { kind: 'pass' })
  }

  #planTick(): void {
    const deadline = nextDeadline(this.state)
    if (deadline === undefined || deadline * 1000 >= this.#tickAt) return
    this.#tickAt = Math.max(deadline * 1000, this.nowUs)
    this.#agenda.plan(this.#tickAt, RANK.tick, { kind: 'tick' })
  }

  /** Tells control what the fleet saw, until nothing new comes of it. */
  #observe(): void {
    for (let facts = this.engine.takeFacts(); facts.length > 0; facts = this.engine.takeFacts()) {
      this.#execute({ kind: 'observe', facts, complete: false }, ENGINE)
    }
    this.#planTick()
  }

  #execute(command: Command, actor: Actor): Decision {
    const decision = decide(this.state, command, {
      now: this.nowMs,
      actor,
      failureClasses: DEFAULT_FAILURE_CLASSES,
    })
    if (!decision.ok) return decision
    this.#see(decision.events)
    for (const effect of decision.effects) this.#perform(effect)
    if (needsPass(decision.events)) this.#planPass(this.nowUs)
    return decision
  }

  #see(events: readonly LoggedEvent[]): void {
    this.eventCount += events.length
    for (const { event } of events) {
      this.hash.text(event.kind)
      if ('workload' in event) this.hash.text(event.workload)
      if ('attempt' in event) this.hash.text(event.attempt)
      if (event.kind === 'workload-finished') this.openJobs--
    }
    for (const observer of this.#observers) observer.onEvents?.(events, this)
    const { departed } = this.state.derived
    departed.workloads.clear()
    departed.attempts.clear()
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'launch':
        this.engine.launch(effect.order, this.nowUs)
        return
      case 'stop':
        this.engine.stop(effect.attempt, effect.how, this.nowUs)
        return
      case 'forget':
        this.engine.forget(effect.attempt)
    }
  }
}
