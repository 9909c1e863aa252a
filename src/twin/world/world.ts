import type { OrganisationId, TeamId, TimeMs, UserId, WorkloadId } from '../../base/index.ts'
import { broken, id, present } from '../../base/index.ts'
import type { Command, ControlState, LoggedEvent } from '../../control/index.ts'
import { restoreState } from '../../control/index.ts'
import { type Actor, type FinalWorkloadState, ordersByReports, SYSTEM, teamId } from '../../model/index.ts'
import { ControlFaults } from '../faults/control-faults.ts'
import { FaultInjector } from '../faults/fault-injector.ts'
import { ModelStore } from '../faults/model-store.ts'
import { FabricSharing } from '../fleet/fabric-sharing.ts'
import { Pace } from '../fleet/pace.ts'
import type { Run, RunEnd } from '../fleet/run.ts'
import { SimulatedEngine } from '../fleet/simulated-engine.ts'
import { Agenda, type TimeUs } from '../kernel/agenda.ts'
import { Streams } from '../kernel/streams.ts'
import { TraceHash } from '../kernel/trace-hash.ts'
import { commandOf } from './command-of.ts'
import { storedStateOf } from './control-snapshot.ts'
import type { SimulatedJob } from './simulated-job.ts'
import { SimulatedServer } from './simulated-server.ts'
import { tenantNames } from './tenant-names.ts'
import { type Happening, RANK, type WorldRecord } from './world-record.ts'
import type { WorldSetup } from './world-setup.ts'

/** Sees every event right after it was durable, and every run as it ends. It may read the world and change nothing. */
export interface Observer {
  readonly onEvents?: (events: readonly LoggedEvent[], world: World) => void
  /** After each step. */
  readonly onStep?: (world: World) => void
  /** When the server has its state back after a crash. */
  readonly onRestart?: (world: World) => void
  readonly onRunEnd?: (run: Run, end: RunEnd) => void
}

export const TWIN_ORGANISATION = id<OrganisationId>('twin')
const ENGINE: Actor = { kind: 'engine', id: 'twin' }
const OPERATOR: Actor = { kind: 'user', id: 'operator' }
/** Users whose submission was not answered try again after so long. */
const USER_RETRY_US = 1_000_000

/**
 * One simulated world: the real control and scheduler on a virtual clock, over a fleet that exists only in it. It runs
 * as long as there is work; the same setup always gives the same steps.
 */
export class World {
  readonly setup: WorldSetup
  readonly streams: Streams
  readonly engine: SimulatedEngine
  readonly server: SimulatedServer
  readonly store: ModelStore | undefined
  readonly faults: FaultInjector | undefined
  readonly controlFaults: ControlFaults | undefined
  hash = new TraceHash()
  readonly jobOf = new Map<WorkloadId, number>()
  /** The workload of each job whose submission was acknowledged, by the number of the job. */
  readonly acknowledged: (WorkloadId | undefined)[] = []
  eventCount = 0
  stepCount = 0
  /** Submissions that have neither come nor ended nor been refused. */
  openJobs: number
  /** Submissions that control refused, with its words. */
  readonly refused: string[] = []
  isHealed = false
  #agenda = new Agenda<Happening>()
  readonly #pace: Pace
  readonly #observers: readonly Observer[]
  readonly #teams: ReadonlyMap<string, string>
  /** How workloads ended, by name, where some job depends on others. */
  readonly #ended = new Map<string, { id: WorkloadId; state: FinalWorkloadState }>()
  readonly #hasDependencies: boolean
  #submitting = -1

  constructor(setup: WorldSetup, observers: readonly Observer[] = []) {
    this.setup = setup
    this.#observers = observers
    this.streams = new Streams(setup.seed)
    this.openJobs = setup.jobs.length
    this.#hasDependencies = setup.jobs.some(({ spec }) => spec.type === 'train' && spec.dependsOn.length > 0)
    this.#teams = tenantNames(setup.jobs.map((job) => job.tenant))
    this.#pace = new Pace(setup.fabric && new FabricSharing(setup.fabric))
    const planFault = (inUs: TimeUs, what: Happening) =>
      this.#agenda.plan(this.nowUs + inUs, RANK.fault, what)
    this.faults = setup.faults && new FaultInjector(setup.faults, setup.nodes, this.streams, planFault)
    this.store = setup.controlFaults && new ModelStore(setup.keepsPast ?? false)
    this.controlFaults =
      setup.controlFaults && new ControlFaults(setup.controlFaults, this.streams, planFault)
    this.engine = new SimulatedEngine(
      {
        levels: setup.levels,
        nodes: setup.nodes,
        behaviourOf: (order) => this.jobOfWorkload(order.workload).behaviour,
        speeds: this.#pace,
        tellSaves: setup.tellSaves ?? false,
        reports: ordersByReports(setup.policy),
        onEnd: (run, end) => {
          for (const observer of observers) observer.onRunEnd?.(run, end)
        },
      },
      {
        plan: (at, what) => this.#agenda.plan(at, RANK.fleet, what),
        cancel: (ticket) => this.#agenda.cancel(ticket),
      },
    )
    this.server = new SimulatedServer({
      engine: this.engine,
      now: () => this.nowUs,
      plan: (at, what) => this.#agenda.plan(at, what.kind === 'pass' ? RANK.pass : RANK.server, what),
      cancel: (ticket) => this.#agenda.cancel(ticket),
      onEvents: (events) => this.#see(events),
      onRestart: () => {
        for (const observer of observers) observer.onRestart?.(this)
      },
      ...(this.store && this.controlFaults
        ? { failing: { store: this.store, faults: this.controlFaults } }
        : {}),
    })
    this.#found()
  }

  get state(): ControlState {
    return this.server.state
  }

  /** Microseconds of virtual time. */
  get nowUs(): TimeUs {
    return this.#agenda.now
  }

  get nowMs(): TimeMs {
    return Math.floor(this.#agenda.now / 1000)
  }

  jobOfWorkload(workload: WorkloadId): SimulatedJob {
    const job = present(this.jobOf.get(workload), 'job of', workload)
    return present(this.setup.jobs[job], 'job', job)
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
      for (const observer of this.#observers) observer.onStep?.(this)
    }
    return count
  }

  /** Everything that the world is at this moment beside its setup, as plain data. Observers are not part of it. */
  record(): WorldRecord {
    return {
      agenda: this.#agenda.record(),
      streams: this.streams.record(),
      fleet: this.engine.record(),
      slowNodes: this.#pace.slowNodes(),
      server: this.server.record(),
      state: storedStateOf(this.server.state),
      hash: this.hash.record(),
      jobOf: [...this.jobOf],
      acknowledged: this.acknowledged.flatMap((workload, job) =>
        workload ? [[job, workload] as const] : [],
      ),
      ended: [...this.#ended],
      refused: [...this.refused],
      counts: { events: this.eventCount, steps: this.stepCount, openJobs: this.openJobs },
      healed: {
        world: this.isHealed,
        faults: this.faults?.isHealed ?? false,
        control: this.controlFaults?.isHealed ?? false,
      },
      ...(this.controlFaults?.armed ? { armed: this.controlFaults.armed } : {}),
      ...(this.store ? { store: this.store.record() } : {}),
    }
  }

  /** The world of this setup as it was when the record was made; it takes the same steps from there. */
  static resume(setup: WorldSetup, record: WorldRecord, observers: readonly Observer[] = []): World {
    const world = new World(setup, observers)
    world.#agenda = Agenda.resume(record.agenda)
    world.streams.load(record.streams)
    world.hash = new TraceHash(...record.hash)
    world.jobOf.clear()
    for (const [workload, job] of record.jobOf) world.jobOf.set(workload, job)
    for (const [node, speed] of record.slowNodes) world.#pace.setNodeSpeed(node, speed)
    world.engine.load(record.fleet)
    world.server.state = restoreState(record.state)
    world.server.load(record.server)
    if (record.store) world.store?.replaceBy(record.store)
    for (const [job, workload] of record.acknowledged) world.acknowledged[job] = workload
    for (const [name, end] of record.ended) world.#ended.set(name, end)
    for (const words of record.refused) world.refused.push(words)
    world.eventCount = record.counts.events
    world.stepCount = record.counts.steps
    world.openJobs = record.counts.openJobs
    world.isHealed = record.healed.world
    if (record.healed.faults) world.faults?.heal()
    if (record.healed.control) world.controlFaults?.heal()
    if (world.controlFaults && record.armed) world.controlFaults.armed = record.armed
    return world
  }

  #happen(what: Happening): void {
    switch (what.kind) {
      case 'submit':
        this.#submit(what.job)
        return
      case 'resubmit':
        this.#trySubmit(what.job)
        return
      case 'act':
        this.#act(what.action)
        return
      case 'heal':
        this.#heal()
        return
      case 'fault':
      case 'node-breaks':
      case 'node-repaired':
      case 'node-slows':
      case 'node-recovers':
      case 'node-leaves':
      case 'node-returns':
      case 'others-come':
      case 'others-go':
      case 'node-changes':
      case 'node-as-before':
        this.faults?.happen(what, this.engine, this.#pace, this.nowUs)
        this.server.observe()
        return
      case 'run-started':
      case 'run-done':
      case 'run-saved':
      case 'run-reports':
      case 'run-stopped':
      case 'hang-noticed':
        this.engine.happen(what, this.nowUs)
        this.server.observe()
        return
      default:
        this.server.happen(what)
    }
  }

  /** Tenants, queues, policy and nodes are there before the first job. */
  #found(): void {
    const { setup } = this
    this.#agenda.plan(setup.startMs * 1000, RANK.user, { kind: 'tick' })
    this.#agenda.take()
    const execute = (command: Command, actor: Actor) => this.server.execute(command, actor)
    execute({ kind: 'set-policy', policy: setup.policy }, SYSTEM)
    const organisations = new Set([TWIN_ORGANISATION, ...setup.jobs.map(organisationOf)])
    for (const organisation of organisations) execute({ kind: 'create-organisation', organisation }, SYSTEM)
    const teams = new Map(setup.jobs.map((job) => [this.#teamOf(job), organisationOf(job)]))
    for (const [id, organisation] of teams)
      execute({ kind: 'create-team', team: { id, organisation } }, SYSTEM)
    for (const queue of setup.queues ?? []) execute({ kind: 'set-queue', queue }, SYSTEM)
    execute({ kind: 'inventory', inventory: this.engine.inventory() }, ENGINE)
    if (setup.jobs.length > 0) this.#planSubmit(0)
    for (const [action, { atMs }] of (setup.actions ?? []).entries())
      this.#agenda.plan(atMs * 1000, RANK.user, { kind: 'act', action })
    if (setup.healMs !== undefined)
      this.#agenda.plan((setup.startMs + setup.healMs) * 1000, RANK.fault, { kind: 'heal' })
    this.faults?.start()
    this.controlFaults?.start()
  }

  #planSubmit(job: number): void {
    const { submitMs } = present(this.setup.jobs[job], 'job', job)
    if (submitMs < this.nowMs) broken(`job ${job} is submitted at ${submitMs} ms, before ${this.nowMs} ms`)
    this.#agenda.plan(submitMs * 1000, RANK.user, { kind: 'submit', job })
  }

  #submit(job: number): void {
    const next = job + this.#submittedWith(job).length
    if (next < this.setup.jobs.length) this.#planSubmit(next)
    this.#trySubmit(job)
  }

  /** The jobs of one submission, which begins with this one. */
  #submittedWith(first: number): readonly SimulatedJob[] {
    const { jobs } = this.setup
    let end = first + 1
    while (jobs[end]?.joinsBefore) end++
    return jobs.slice(first, end)
  }

  /** Submits with a key of its own, so that trying again after a crash can make nothing twice. */
  #trySubmit(index: number): void {
    const { server, store } = this
    const jobs = this.#submittedWith(index)
    const job = present(jobs[0], 'job', index)
    const key = `job-${index}`
    const known = store?.submission(job.user, key)
    if (server.isServing && known) {
      known.forEach((workload, i) => {
        this.acknowledged[index + i] = workload
      })
      return
    }
    if (!server.isServing) {
      this.#agenda.plan(server.servesFrom + USER_RETRY_US, RANK.user, { kind: 'resubmit', job: index })
      return
    }
    this.#submitting = index
    const outcome = server.execute(
      {
        kind: 'submit',
        owner: { organisation: organisationOf(job), team: this.#teamOf(job), user: id<UserId>(job.user) },
        specs: jobs.map(({ spec }) => spec),
        ended: this.#ended,
        ...(store ? { submission: { key, requestHash: key } } : {}),
      },
      { kind: 'user', id: job.user },
    )
    if (outcome === 'died') {
      this.#agenda.plan(server.servesFrom + USER_RETRY_US, RANK.user, { kind: 'resubmit', job: index })
    } else if (!outcome.ok) {
      this.openJobs -= jobs.length
      for (const { spec } of jobs) this.refused.push(`${spec.name}: ${outcome.rejection.message}`)
    } else {
      outcome.events.forEach(({ event }, i) => {
        if (event.kind === 'workload-submitted') this.acknowledged[index + i] = event.workload
      })
    }
  }

  #teamOf(job: SimulatedJob): TeamId {
    return teamId(organisationOf(job), present(this.#teams.get(job.tenant), 'team of', job.tenant))
  }

  /** People act on what is there, and try again when nobody answered. */
  #act(index: number): void {
    if (!this.server.isServing) {
      this.#agenda.plan(this.server.servesFrom + USER_RETRY_US, RANK.user, { kind: 'act', action: index })
      return
    }
    const action = present(this.setup.actions?.[index], 'action', index)
    const command = commandOf(action, this.acknowledged, this.isHealed)
    if (command && this.server.execute(command, OPERATOR) === 'died')
      this.#agenda.plan(this.server.servesFrom + USER_RETRY_US, RANK.user, { kind: 'act', action: index })
    this.server.observe()
  }

  /** From here on nothing fails any more, and operators give back what they took out of use. */
  #heal(): void {
    this.faults?.heal()
    this.controlFaults?.heal()
    if (!this.server.isServing) {
      this.#agenda.plan(this.server.servesFrom + 1, RANK.fault, { kind: 'heal' })
      return
    }
    this.isHealed = true
    for (const node of this.setup.nodes) {
      this.engine.changeNode(node, this.nowUs)
      this.engine.setForeign(node.id, [], '', this.nowUs)
    }
    for (const node of this.engine.down) {
      this.engine.returnNode(node, this.nowUs)
      this.engine.repairNode(node, this.nowUs)
    }
    this.server.happen({ kind: 'contact-found' })
    for (const node of this.state.nodes.values()) {
      if (node.state === 'cordoned' || node.state === 'draining' || node.state === 'testing')
        this.server.execute(
          { kind: 'node-action', node: node.id, action: 'resume', reason: 'drill over' },
          OPERATOR,
        )
    }
    this.server.startOver()
  }

  #see(events: readonly LoggedEvent[]): void {
    this.eventCount += events.length
    for (const { event } of events) {
      this.hash.text(event.kind)
      if ('workload' in event) this.hash.text(event.workload)
      if ('attempt' in event) this.hash.text(event.attempt)
      if (event.kind === 'workload-submitted') this.jobOf.set(event.workload, this.#submitting++)
      else if (event.kind === 'workload-finished') {
        this.openJobs--
        if (this.#hasDependencies) {
          const { name } = this.jobOfWorkload(event.workload).spec
          this.#ended.set(name, { id: event.workload, state: event.state })
        }
      }
    }
    for (const observer of this.#observers) observer.onEvents?.(events, this)
  }
}

function organisationOf(job: SimulatedJob): OrganisationId {
  return job.organisation ?? TWIN_ORGANISATION
}
