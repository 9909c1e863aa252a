import type { AttemptId, NodeId, WorkloadId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type {
  EngineCause,
  EngineFact,
  EngineInventory,
  LaunchOrder,
  StopOrder,
  TaskExit,
} from '../../control/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import type { FleetAgenda, FleetOccurrence, FleetOptions } from './fleet-options.ts'
import type { FleetRecord } from './fleet-record.ts'
import { rankTimesOf } from './rank-times.ts'
import {
  type CrashExit,
  newRun,
  type Run,
  type RunEnd,
  settle,
  timeLeft,
  timeToReport,
  timeToSave,
} from './run.ts'
import { exitOf, milliseconds, progressOf, runningFact } from './run-facts.ts'
import { SimulatedNodes } from './simulated-nodes.ts'

/** After so long a program has told twice how far it is. */
const FIRST_REPORT_US: TimeUs = 30_000_000

/**
 * Nodes and attempts that exist only in virtual time: what an engine does, without deciding anything. It is asked as
 * the engine port is, and what it sees comes out as the port's facts.
 */
export class SimulatedEngine {
  readonly runs = new Map<AttemptId, Run>()
  readonly nodes: SimulatedNodes
  readonly #options: FleetOptions
  readonly #agenda: FleetAgenda
  /** Work that a new attempt of the workload finds saved. */
  readonly #saved = new Map<WorkloadId, TimeUs>()
  /** Ends that nobody has confirmed to have on record. */
  readonly #ended = new Map<AttemptId, EngineFact>()
  #facts: EngineFact[] = []

  constructor(options: FleetOptions, agenda: FleetAgenda) {
    this.#options = options
    this.#agenda = agenda
    this.nodes = new SimulatedNodes(options.nodes)
  }

  inventory(): EngineInventory {
    return { levels: this.#options.levels, nodes: this.nodes.list() }
  }

  get down(): ReadonlySet<NodeId> {
    return this.nodes.down
  }

  /** What it has seen since it was last asked. */
  takeFacts(): readonly EngineFact[] {
    const facts = this.#facts
    if (facts.length > 0) this.#facts = []
    return facts
  }

  /** Everything it knows of attempts and nodes: the answer to `observe` without a cursor. */
  tellAll(now: TimeUs): readonly EngineFact[] {
    const facts = this.nodes.facts(milliseconds(now))
    for (const run of this.runs.values()) {
      settle(run, now)
      if (run.state !== 'starting') facts.push(runningFact(run, now, this.#options.replicaAddress))
      // An attempt that is still starting is known too: silence about it would mean that it is not there.
      facts.push(progressOf(run, now))
    }
    facts.push(...this.#ended.values())
    return facts
  }

  launch(order: LaunchOrder, now: TimeUs): void {
    if (this.runs.has(order.attempt) || this.#ended.has(order.attempt)) return
    const behaviour = this.#options.behaviourOf(order)
    const refusal = this.nodes.refusal(order)
    if (refusal) {
      this.#tellEnd(order.attempt, now, [], { kind: 'launch-refused', ...refusal, blame: 'platform' })
      return
    }
    const run = newRun(order, behaviour, this.#saved.get(order.workload) ?? 0, now)
    this.runs.set(run.attempt, run)
    // What others hold it waits for, as for a machine that is shared by first come, first served.
    if (!this.nodes.isTaken(order)) this.#begin(run, now)
  }

  stop(attempt: AttemptId, how: StopOrder, now: TimeUs): void {
    const run = this.runs.get(attempt)
    if (!run) return
    const graceUs = how.graceMs * 1000
    const hard = how.signal === 'SIGKILL' || graceUs === 0
    if (run.state === 'stopping' && !hard) return
    const { behaviour } = run
    settle(run, now)
    const finishes = run.state === 'running' && run.doneUs === behaviour.workUs
    if (finishes) return
    this.#cancelNext(run)
    const saves = run.state === 'running' && behaviour.savesWhenTold && behaviour.saveUs <= graceUs
    const ignores = run.state === 'hung' || (run.state === 'running' && behaviour.savesWhenTold && !saves)
    this.#halt(run)
    if (saves) run.savedUs = run.doneUs
    const endsIn = saves ? behaviour.saveUs : ignores ? graceUs : 0
    if (endsIn === 0) this.#stopped(run, now, saves)
    else run.next = this.#agenda.plan(now + endsIn, { kind: 'run-stopped', attempt, saved: saves })
  }

  forget(attempt: AttemptId): void {
    this.#ended.delete(attempt)
  }

  /** A planned occurrence has come due. */
  happen(what: FleetOccurrence, now: TimeUs): void {
    const run = present(this.runs.get(what.attempt), 'run', what.attempt)
    run.next = undefined
    switch (what.kind) {
      case 'run-started':
        this.#start(run, now)
        return
      case 'run-saved':
        settle(run, now)
        this.#tellSave(run, now)
        this.#planNext(run)
        return
      case 'run-reports':
        this.tellProgress(run, now)
        run.reportUs! *= 2
        this.#planNext(run)
        return
      case 'run-done':
        settle(run, now)
        this.#finish(run, now)
        return
      case 'run-stopped':
        this.#stopped(run, now, what.saved)
        return
      case 'hang-noticed':
        this.#crash(run, what.exit, now)
        return
    }
  }

  /** One task fails and the gang with it, or hangs until somebody notices. */
  failRun(run: Run, exit: CrashExit, noticedInUs: TimeUs, now: TimeUs): void {
    if (run.state === 'stopping') return
    settle(run, now)
    this.#cancelNext(run)
    if (noticedInUs === 0) {
      this.#crash(run, exit, now)
      return
    }
    run.state = 'hung'
    run.next = this.#agenda.plan(now + noticedInUs, { kind: 'hang-noticed', attempt: run.attempt, exit })
  }

  /** The node and all that runs on it is gone until `repairNode`. */
  failNode(node: NodeId, reason: string, now: TimeUs): void {
    if (this.down.has(node)) return
    this.nodes.down.add(node)
    this.#facts.push({ kind: 'node-down', node, reason, at: milliseconds(now) })
    this.setForeign(node, [], '', now)
    for (const run of this.runsOn(node)) this.#lose(run, node, `node ${node} failed: ${reason}`, now)
  }

  /** Changes nothing for a node that has left the fleet. */
  repairNode(node: NodeId, now: TimeUs): void {
    if (this.nodes.isAway(node)) return
    if (this.nodes.down.delete(node)) this.#facts.push({ kind: 'node-up', node, at: milliseconds(now) })
  }

  /** The node is taken out of the fleet, and what runs on it ends, until `returnNode`. */
  removeNode(node: NodeId, now: TimeUs): void {
    if (this.nodes.isAway(node)) return
    this.failNode(node, 'taken out of the fleet', now)
    this.nodes.leave(node)
    this.#facts.push({ kind: 'node-gone', node, at: milliseconds(now) })
  }

  /** It is back, and sound. */
  returnNode(id: NodeId, now: TimeUs): void {
    if (!this.nodes.comeBack(id)) return
    this.#tellNode(id, now)
    this.repairNode(id, now)
  }

  /** It has other GPUs from now on, or stands elsewhere; what runs on GPUs that it no longer has ends. */
  changeNode(node: NodeDescription, now: TimeUs): void {
    if (this.nodes.describe(node.id) === node) return
    this.nodes.change(node)
    if (!this.nodes.isAway(node.id)) this.#tellNode(node.id, now)
    const { gpus, holder } = this.nodes.foreignOn(node.id)
    const left = gpus.filter((gpu) => gpu < node.gpuCount)
    if (left.length < gpus.length) this.setForeign(node.id, left, holder, now)
    for (const run of this.runsOn(node.id)) {
      const lost = this.nodes.refusal(run.order)
      if (lost) this.#lose(run, lost.node, lost.message, now)
    }
  }

  /** Others hold these GPUs of the node from now on, of those that nothing of Banyan's has, and no more. */
  setForeign(node: NodeId, gpus: readonly number[], holder: string, now: TimeUs): void {
    if (gpus.length + this.nodes.foreignOn(node).gpus.length === 0) return
    this.nodes.setForeign(node, gpus, holder)
    const hold = this.nodes.foreignOn(node)
    this.#facts.push({ kind: 'node-foreign', node, ...hold, at: milliseconds(now) })
    for (const run of this.runsOn(node)) {
      const waits = run.state === 'starting' && run.next === undefined
      if (waits && !this.nodes.isTaken(run.order)) this.#begin(run, now)
    }
  }

  /** GPUs of the node that nobody has. */
  freeGpus(id: NodeId): number[] {
    return this.nodes.freeGpus(
      id,
      this.runsOn(id).map(({ order }) => order),
    )
  }

  /** Runs with a part on the node, in order of launch. */
  runsOn(node: NodeId): Run[] {
    return [...this.runs.values()].filter((run) =>
      run.order.allocation.parts.some((part) => part.node === node),
    )
  }

  /** Speeds changed for a reason of the caller's: a node became slow, a link was lost. */
  paceAnew(runs: Iterable<Run>, now: TimeUs): void {
    for (const run of runs) {
      if (run.state !== 'running') continue
      const speed = this.#options.speeds.speedOf(run)
      if (speed === run.speed) continue
      settle(run, now)
      run.speed = speed
      this.#cancelNext(run)
      this.#planNext(run)
    }
  }

  /** Takes in an attempt that has run since `runningAt` from the work it found saved, as far as it would be by now. */
  adopt(order: LaunchOrder, resumedUs: TimeUs, runningAt: TimeUs, now: TimeUs): void {
    const run = newRun(order, this.#options.behaviourOf(order), resumedUs, runningAt)
    this.runs.set(run.attempt, run)
    run.state = 'running'
    const affected = this.#options.speeds.enter(run)
    run.speed = this.#options.speeds.speedOf(run)
    settle(run, now)
    this.#planNext(run)
    this.paceAnew(affected, now)
  }

  /** What a new attempt of the workload finds saved. */
  keep(workload: WorkloadId, savedUs: TimeUs): void {
    this.#saved.set(workload, savedUs)
  }

  /** Tells how far the run is, as a program does that writes its progress from time to time. */
  tellProgress(run: Run, now: TimeUs): void {
    if (run.state !== 'running') return
    settle(run, now)
    if (run.savedAt !== undefined) run.reportedSaveAt = run.savedAt
    const ranks = rankTimesOf(run, (node) => this.#options.speeds.speedOfNode(node), now)
    this.#facts.push({ ...progressOf(run, now), ...(ranks ? { ranks } : {}) })
  }

  record(): FleetRecord {
    return {
      runs: [...this.runs.values()].map((run) => ({ ...run })),
      saved: [...this.#saved],
      ...this.nodes.record(),
      ended: [...this.#ended],
    }
  }

  /** Puts a record into an engine that has done nothing yet. Tickets in it stay good in the agenda it was recorded with. */
  load(record: FleetRecord): void {
    for (const run of record.runs) {
      this.runs.set(run.attempt, { ...run })
      if (run.state === 'running' || run.state === 'hung')
        this.#options.speeds.enter(this.runs.get(run.attempt)!)
    }
    for (const [workload, saved] of record.saved) this.#saved.set(workload, saved)
    this.nodes.load(record)
    for (const [attempt, fact] of record.ended) this.#ended.set(attempt, fact)
  }

  #tellNode(id: NodeId, now: TimeUs): void {
    this.#facts.push({ kind: 'node-present', node: this.nodes.describe(id), at: milliseconds(now) })
  }

  #begin(run: Run, now: TimeUs): void {
    const { attempt, behaviour } = run
    if (behaviour.startUs === 0) this.#start(run, now)
    else run.next = this.#agenda.plan(now + behaviour.startUs, { kind: 'run-started', attempt })
  }

  #start(run: Run, now: TimeUs): void {
    run.state = 'running'
    run.settledAt = now
    const affected = this.#options.speeds.enter(run)
    run.speed = this.#options.speeds.speedOf(run)
    this.#facts.push(runningFact(run, now, this.#options.replicaAddress))
    if (this.#options.reports) {
      run.runningAt = now
      run.reportUs = FIRST_REPORT_US
      this.#facts.push(progressOf(run, now))
    }
    this.#planNext(run)
    this.paceAnew(affected, now)
  }

  #planNext(run: Run): void {
    const left = timeLeft(run)
    const toSave = this.#options.tellSaves ? timeToSave(run) : Number.POSITIVE_INFINITY
    const toReport = timeToReport(run)
    const next = Math.min(left, toSave, toReport)
    if (next === Number.POSITIVE_INFINITY) return
    const kind = next === left ? 'run-done' : next === toSave ? 'run-saved' : 'run-reports'
    run.next = this.#agenda.plan(run.settledAt + next, { kind, attempt: run.attempt })
  }

  /** Nothing more is computed; what the run used of the fabric is free for others. */
  #halt(run: Run): void {
    const moved = run.state === 'running' || run.state === 'hung'
    run.state = 'stopping'
    if (moved) this.paceAnew(this.#options.speeds.leave(run), run.settledAt)
  }

  #finish(run: Run, now: TimeUs): void {
    const { fails } = run.behaviour
    const exit = exitOf(run, now, 'itself')
    if (fails) this.#end(run, now, 'failed', [{ ...exit, ...fails }])
    else this.#end(run, now, 'done', [exit])
  }

  #stopped(run: Run, now: TimeUs, saved: boolean): void {
    if (saved) run.savedAt = now
    this.#end(run, now, 'stopped', [exitOf(run, now, 'stopped')])
  }

  #lose(run: Run, node: NodeId, message: string, now: TimeUs): void {
    settle(run, now)
    this.#cancelNext(run)
    this.#end(run, now, 'failed', [], { kind: 'node-lost', message, node, blame: 'platform' })
  }

  #crash(run: Run, exit: CrashExit, now: TimeUs): void {
    settle(run, now)
    this.#end(run, now, 'failed', [{ task: 0, stopped: false, at: milliseconds(now), ...exit }])
  }

  #end(run: Run, now: TimeUs, how: RunEnd['how'], exits: readonly TaskExit[], cause?: EngineCause): void {
    this.#options.onEnd?.(run, { at: now, how })
    if (run.state !== 'starting') {
      this.#halt(run)
      this.#tellSave(run, now)
    }
    this.runs.delete(run.attempt)
    const done = run.doneUs === run.behaviour.workUs
    if (done) this.#saved.delete(run.order.workload)
    else if (run.savedUs > 0) this.#saved.set(run.order.workload, run.savedUs)
    this.#tellEnd(run.attempt, now, exits, cause)
  }

  #tellEnd(attempt: AttemptId, now: TimeUs, exits: readonly TaskExit[], cause?: EngineCause): void {
    const at = milliseconds(now)
    const fact: EngineFact = cause
      ? { kind: 'attempt-ended', attempt, at, exits, cause }
      : { kind: 'attempt-ended', attempt, at, exits }
    this.#ended.set(attempt, fact)
    this.#facts.push(fact)
  }

  #tellSave(run: Run, now: TimeUs): void {
    if (run.savedAt === undefined || run.savedAt === run.reportedSaveAt) return
    run.reportedSaveAt = run.savedAt
    this.#facts.push(progressOf(run, now))
  }

  #cancelNext(run: Run): void {
    if (run.next === undefined) return
    this.#agenda.cancel(run.next)
    run.next = undefined
  }
}
