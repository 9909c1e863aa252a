import type { AttemptId, NodeId, OrganisationId, TimeMs, UserId, WorkloadId } from '../base/index.ts'
import { canonicalJson, id, present } from '../base/index.ts'
import type {
  Actor,
  Attempt,
  NodeDescription,
  Owner,
  ServeSpec,
  TrainSpec,
  UsageSpan,
  Workload,
} from '../model/index.ts'
import { teamId } from '../model/index.ts'
import type { Command } from './command.ts'
import { decide } from './decide/index.ts'
import { DEFAULT_FAILURE_CLASSES } from './default-failure-classes.ts'
import type { Effect, Rejection } from './effect.ts'
import type { LoggedEvent } from './event.ts'
import { evolve } from './evolve/index.ts'
import { violations } from './invariants.ts'
import type { Document, EngineFact, StoredState, TaskExit } from './ports/index.ts'
import { batchOf, restoreState, serialiseState } from './records.ts'
import type { ControlState } from './state.ts'
import { emptyState } from './state.ts'

/** Builders for tests: small nouns with defaults, and a control plane in memory that checks itself at every step. */

export const ACME = id<OrganisationId>('acme')
export const RESEARCH = teamId(ACME, 'research')
export const ADA: Owner = { organisation: ACME, team: RESEARCH, user: id<UserId>('ada') }
const BY_ADA: Actor = { kind: 'user', id: 'ada' }

export function aNode(name: string, over: Partial<NodeDescription> = {}): NodeDescription {
  return {
    id: id<NodeId>(name),
    domains: ['here'],
    gpuModel: 'H100-80GB',
    gpuCount: 8,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 2e12,
    nicCount: 8,
    address: `${name}.example`,
    ...over,
  }
}

export function aTraining(over: Partial<TrainSpec> = {}): TrainSpec {
  return {
    type: 'train',
    name: 'training',
    priority: 'normal',
    resources: { shape: { kind: 'gpus', gpus: 1 } },
    program: { run: ['true'], env: {}, workdir: '/srv', tasksPer: 'gpu' },
    retry: { user: 0, platform: 100 },
    preemptible: true,
    dependsOn: [],
    ...over,
  }
}

export function aService(over: Partial<ServeSpec> = {}): ServeSpec {
  const { dependsOn, ...common } = aTraining()
  return {
    ...common,
    type: 'serve',
    name: 'service',
    model: 'tiny',
    replicas: 1,
    retry: { user: 10, platform: 100 },
    readiness: { path: '/health', timeoutMs: 1000, everyMs: 1000 },
    ...over,
  }
}

function anExit(over: Partial<TaskExit> = {}): TaskExit {
  const ended = over.signal === undefined ? { exitCode: 0 } : {}
  return { task: 0, node: id<NodeId>('n1'), ...ended, at: 0, logTail: '', stopped: false, ...over }
}

/** The ledger's rows as a store would hold them, without a store. */
class MemoryRows {
  readonly documents = new Map<string, Document>()
  readonly workloads = new Map<string, string>()
  readonly attempts = new Map<string, string>()

  take(batch: ReturnType<typeof batchOf>): void {
    for (const document of batch.documents) {
      const key = `${document.collection} ${document.id}`
      if ('value' in document) this.documents.set(key, JSON.parse(JSON.stringify(document)) as Document)
      else this.documents.delete(key)
    }
    for (const workload of batch.workloads) this.workloads.set(workload.id, JSON.stringify(workload))
    for (const attempt of batch.attempts) this.attempts.set(attempt.id, JSON.stringify(attempt))
  }

  load(lastSequence: number): StoredState {
    const parse = <Row>(rows: Map<string, string>) => [...rows.values()].map((row) => JSON.parse(row) as Row)
    return {
      lastSequence,
      documents: [...this.documents.values()],
      workloads: parse<Workload>(this.workloads).filter(
        ({ state }) => !['succeeded', 'failed', 'cancelled'].includes(state),
      ),
      attempts: parse<Attempt>(this.attempts).filter(({ state }) => state !== 'ended'),
    }
  }
}

/** A control plane in memory with one team of one user. It throws at the first broken safety rule. */
export class ControlInMemory {
  state: ControlState = emptyState()
  now: TimeMs = 1_000
  readonly log: LoggedEvent[] = []
  readonly effects: Effect[] = []
  readonly spans: UsageSpan[] = []
  readonly #rows = new MemoryRows()

  constructor(nodes: readonly NodeDescription[] = [aNode('n1')]) {
    this.do({ kind: 'create-organisation', organisation: ACME })
    this.do({ kind: 'create-team', team: { id: RESEARCH, organisation: ACME } })
    this.do({
      kind: 'set-user',
      user: { id: ADA.user, organisation: ACME, teams: [RESEARCH], role: 'member' },
    })
    this.do({ kind: 'inventory', inventory: { levels: ['site', 'node'], nodes } })
  }

  /** Runs the command; its effects, or a thrown rejection. */
  do(command: Command, actor: Actor = BY_ADA): readonly Effect[] {
    const decision = decide(this.state, command, {
      now: this.now,
      actor,
      failureClasses: DEFAULT_FAILURE_CLASSES,
    })
    if (!decision.ok) throw new Rejected(decision.rejection)
    this.log.push(...decision.events)
    this.effects.push(...decision.effects)
    const batch = batchOf(this.state, decision.events)
    this.spans.push(...batch.spans)
    this.#rows.take(batch)
    const [broken] = violations(this.state)
    if (broken) throw new Error(`${broken.rule}: ${broken.detail}`)
    return decision.effects
  }

  rejection(command: Command): Rejection {
    try {
      this.do(command)
    } catch (error) {
      if (error instanceof Rejected) return error.rejection
      throw error
    }
    throw new Error(`${command.kind} was not rejected`)
  }

  submit(
    spec: TrainSpec | ServeSpec,
    ended: Extract<Command, { kind: 'submit' }>['ended'] = new Map(),
  ): WorkloadId {
    this.do({ kind: 'submit', owner: ADA, specs: [spec], ended })
    return id<WorkloadId>(`w${this.state.nextWorkloadNumber - 1}`)
  }

  pass(): readonly Effect[] {
    return this.do({ kind: 'schedule' })
  }

  observe(...facts: EngineFact[]): readonly Effect[] {
    return this.do({ kind: 'observe', facts, complete: false }, { kind: 'engine', id: 'test' })
  }

  /** Submits, schedules and sees it run: the attempt. */
  running(spec: TrainSpec | ServeSpec): AttemptId {
    const workload = this.submit(spec)
    this.pass()
    const [attempt] = this.workload(workload).liveAttempts
    this.observe({
      kind: 'attempt-running',
      attempt: present(attempt, 'attempt'),
      at: this.now,
      address: 'n1:80',
    })
    return present(attempt, 'attempt')
  }

  ended(attempt: AttemptId, ...exits: Partial<TaskExit>[]): void {
    this.observe({ kind: 'attempt-ended', attempt, at: this.now, exits: exits.map((exit) => anExit(exit)) })
  }

  /** Live or final, as it was last written. */
  workload(workload: WorkloadId): Workload {
    return (
      this.state.workloads.get(workload) ??
      (JSON.parse(present(this.#rows.workloads.get(workload), workload)) as Workload)
    )
  }

  attempt(attempt: AttemptId): Attempt {
    return (
      this.state.attempts.get(attempt) ??
      (JSON.parse(present(this.#rows.attempts.get(attempt), attempt)) as Attempt)
    )
  }

  /** The state that replaying all events gives. */
  replayed(): string {
    const state = emptyState()
    for (const logged of this.log) evolve(state, JSON.parse(canonicalJson(logged)) as LoggedEvent)
    return serialiseState(state)
  }

  /** The state that a restart would load. */
  restored(): ControlState {
    return restoreState(this.#rows.load(this.state.lastSequence))
  }

  restart(): void {
    this.state = this.restored()
  }
}

class Rejected extends Error {
  readonly rejection: Rejection

  constructor(rejection: Rejection) {
    super(rejection.message)
    this.rejection = rejection
  }
}
