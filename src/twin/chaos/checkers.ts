import type { AttemptId, NodeId, TimeMs, WorkloadId } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { emptyState, evolve, serialiseState, violations } from '../../control/index.ts'
import type { Hold } from '../../scheduler/index.ts'
import { explain, nodesOfReservation } from '../../scheduler/index.ts'
import type { Observer, World } from '../world/world.ts'
import { checkArrays } from './array-checker.ts'
import type { Find, Finding } from './finding.ts'
import { GuaranteeChecker } from './guarantee-checker.ts'
import { PlaceChecker } from './place-checker.ts'
import { checkStarts } from './start-checker.ts'

/**
 * Watches a world for the safety rules, each at every event or step where it can break. What it remembers it has from
 * events and from the engine, never from the state that it judges.
 */
export class Checkers implements Observer {
  readonly findings: Finding[] = []
  readonly #seen = new Set<string>()
  #lastAt: TimeMs = 0
  #lastSequence = 0
  /** Evictions whose beneficiary has not started yet. */
  readonly #owed = new Map<AttemptId, WorkloadId>()
  /** Evictions whose beneficiary lost its place for a reason that ends the proof of the plan. */
  readonly #pardoned = new Set<AttemptId>()
  readonly #holds = new Map<Hold['id'], Hold>()
  readonly #avoid = new Map<WorkloadId, Map<NodeId, TimeMs>>()
  readonly #finished = new Set<WorkloadId>()
  readonly #infeasible: ReadonlySet<number>
  readonly #guarantees: GuaranteeChecker
  readonly #places: PlaceChecker

  /** `infeasible`: jobs that no state of this fleet could ever run. */
  constructor(infeasible: ReadonlySet<number>) {
    this.#infeasible = infeasible
    this.#guarantees = new GuaranteeChecker(this.#find)
    this.#places = new PlaceChecker(this.#find)
  }

  readonly onEvents = (events: readonly LoggedEvent[], world: World): void => {
    for (const logged of events) {
      this.#inOrder(logged, world)
      this.#ledger(logged, world)
    }
    this.#guarantees.onEvents(events)
    this.#evictionsServe(events, world)
    checkStarts(events, world, this.#find)
    checkArrays(events, world, this.#find)
    this.#places.onEvents(events, world)
    for (const { rule, detail } of violations(world.state)) {
      const attempt = detail.slice(0, detail.indexOf(' ')) as AttemptId
      if (rule !== 'S3' || !this.#pardoned.has(attempt)) this.#find(rule, world, detail)
    }
  }

  readonly onStep = (world: World): void => {
    this.#noGpuRunsTwo(world)
    this.#guarantees.onStep(world)
    this.#places.onStep(world)
  }

  readonly onRestart = (world: World): void => {
    this.#acknowledgedSurvive(world)
    this.#replayAgrees(world)
  }

  /** What can be judged only when the run is over. */
  atEnd(world: World): void {
    this.#acknowledgedSurvive(world)
    this.#replayAgrees(world)
    if (this.findings.length > 0 || !world.isHealed || world.openJobs === 0) return
    for (const workload of world.state.workloads.values()) {
      const job = world.jobOf.get(workload.id) ?? -1
      // What it waits for is judged by itself.
      if (workload.waitsFor.length > 0) continue
      if (!this.#infeasible.has(job) || workload.state !== 'queued')
        this.#find(
          'live',
          world,
          `${workload.id} is ${workload.state} long after all was healed: ${workload.stateReason}`,
        )
      else if (explain(world.state.derived.machine, world.nowMs, workload.id, 0).blockers.length === 0)
        this.#find('live', world, `${workload.id} can never start, and nothing says why`)
    }
    const missing = world.setup.jobs.length - acknowledgedOf(world).length - world.refused.length
    if (missing > 0) this.#find('live', world, `${missing} submissions were never answered`)
  }

  /** S6: numbered without a gap, in time that does not go back, with actor and cause. */
  #inOrder({ sequence, at, actor, cause }: LoggedEvent, world: World): void {
    if (sequence !== this.#lastSequence + 1)
      this.#find('S6', world, `event ${sequence} follows ${this.#lastSequence}`)
    if (at < this.#lastAt) this.#find('S6', world, `event ${sequence} is at ${at}, before ${this.#lastAt}`)
    if (!actor || cause === '') this.#find('S6', world, `event ${sequence} has no actor or cause`)
    this.#lastSequence = sequence
    this.#lastAt = at
  }

  #ledger({ event, at }: LoggedEvent, world: World): void {
    switch (event.kind) {
      case 'workload-submitted':
        for (const on of event.waitsFor) {
          const other = world.state.workloads.get(on)
          if (other && other.owner.organisation !== event.owner.organisation)
            this.#find('S9', world, `${event.workload} waits for ${on} of ${other.owner.organisation}`)
        }
        return
      case 'attempt-planned': {
        for (const [node, until] of this.#avoid.get(event.workload) ?? []) {
          if (until > at && event.allocation.parts.some((part) => part.node === node))
            this.#find('S7', world, `${event.attempt} is planned on ${node}, which failed it until ${until}`)
        }
        for (const [attempt, workload] of this.#owed)
          if (workload === event.workload) this.#owed.delete(attempt)
        return
      }
      case 'attempt-ended': {
        // Only the engine can have said so, and then nothing of it runs any more.
        if (world.engine.runs.has(event.attempt))
          this.#find('S4', world, `${event.attempt} is ended on record and still runs on the engine`)
        const { held, billed, lost } = event.usage
        if (event.outcome === 'platform-failure' && Math.abs(billed - (held - lost)) > 0.5)
          this.#find(
            'S7',
            world,
            `${event.attempt} failed by the platform and is billed ${billed} of ${held}`,
          )
        if (event.retry?.avoid.length) {
          const workload = event.attempt.slice(0, event.attempt.indexOf('.')) as WorkloadId
          const avoided = this.#avoid.get(workload) ?? new Map<NodeId, TimeMs>()
          for (const { node, until } of event.retry.avoid) avoided.set(node, until)
          this.#avoid.set(workload, avoided)
        }
        return
      }
      case 'node-renamed':
        for (const avoided of this.#avoid.values()) {
          const until = avoided.get(event.node)
          if (until !== undefined && avoided.delete(event.node)) avoided.set(event.to, until)
        }
        return
      case 'workload-scaled':
        // A replica that is no longer wanted needs no place.
        this.#pardon(event.workload, world)
        return
      case 'queue-set':
        // A limit that was lowered ends the proof of the plans made under the old one.
        for (const workload of new Set(this.#owed.values()))
          if (world.state.workloads.get(workload)?.queue.startsWith(event.queue.id))
            this.#pardon(workload, world)
        return
      case 'workload-finished':
        this.#finished.add(event.workload)
        this.#avoid.delete(event.workload)
        for (const [attempt, workload] of this.#owed)
          if (workload === event.workload) this.#owed.delete(attempt)
        return
      default:
        return
    }
  }

  /** S3: an eviction comes with a start of, or a hold for, whom it is for, and the hold is kept until then. */
  #evictionsServe(events: readonly LoggedEvent[], world: World): void {
    for (const { event } of events) {
      if (event.kind === 'attempt-stopping' && ['preempted', 'resized'].includes(event.stop.reason)) {
        const beneficiary = event.stop.for
        if (!beneficiary) this.#find('S3', world, `${event.attempt} is evicted for nobody`)
        else if (!this.#isServed(beneficiary, events, world))
          this.#find('S3', world, `${event.attempt} is evicted for ${beneficiary}, which gets nothing by it`)
        else this.#owed.set(event.attempt, beneficiary)
      }
      if (event.kind === 'hold-placed') this.#holds.set(event.hold.id, event.hold)
      if (event.kind !== 'hold-released') continue
      const hold = this.#holds.get(event.hold)
      this.#holds.delete(event.hold)
      if (!hold || event.reason === 'started' || event.reason === 'replaced') continue
      if (this.#isLost(hold, events, world)) this.#pardon(hold.workload, world)
      for (const [attempt, beneficiary] of this.#owed) {
        if (beneficiary !== hold.workload || this.#isServed(beneficiary, events, world)) continue
        this.#owed.delete(attempt)
        this.#find('S3', world, `${attempt} was evicted for ${beneficiary}, whose hold was given up`)
      }
    }
  }

  /** Whoever still ends for it does so on a plan that held. */
  #pardon(beneficiary: WorkloadId, { state }: World): void {
    for (const { id, stop } of state.attempts.values()) if (stop?.for === beneficiary) this.#pardoned.add(id)
    for (const [attempt, workload] of this.#owed) if (workload === beneficiary) this.#owed.delete(attempt)
  }

  #isServed(beneficiary: WorkloadId, events: readonly LoggedEvent[], world: World): boolean {
    return (
      this.#finished.has(beneficiary) ||
      [...world.state.holds.values()].some(({ workload }) => workload === beneficiary) ||
      (world.state.workloads.get(beneficiary)?.liveAttempts.length ?? 0) > 0 ||
      events.some(
        ({ event }) =>
          (event.kind === 'attempt-planned' || event.kind === 'workload-stopping') &&
          event.workload === beneficiary,
      )
    )
  }

  /** A hold may be given up when a node of it went out of use, changed, failed the gang, has a window or is used by others now: the proof of the plan ends with it. */
  #isLost({ workload, allocation }: Hold, events: readonly LoggedEvent[], { state, nowMs }: World): boolean {
    const avoided = state.workloads.get(workload)?.avoidedNodes ?? []
    const windows = [...state.reservations.values()].flatMap((window) =>
      nodesOfReservation(state.derived.machine, window),
    )
    return allocation.parts.some(
      ({ node, gpus }) =>
        events.some(({ event }) => isTakenBy(event, node, gpus)) ||
        state.nodes.get(node)?.state !== 'ready' ||
        windows.includes(node) ||
        avoided.some((failed) => failed.node === node && failed.until > nowMs),
    )
  }

  /** S2 and S1 where it counts, on the machines themselves. */
  #noGpuRunsTwo(world: World): void {
    const held = new Map<string, number>()
    for (const run of world.engine.runs.values()) {
      for (const part of run.order.allocation.parts) {
        for (const gpu of part.gpus) {
          const key = `${part.node} GPU ${gpu}`
          const milli = (held.get(key) ?? 0) + (part.milliGpus ?? 1000)
          held.set(key, milli)
          if (milli > 1000) this.#find('S2', world, `${key} runs ${run.attempt} beside another attempt`)
        }
      }
      const live = world.state.attempts.get(run.attempt)
      if (!live || !world.server.isServing) continue
      const names = live.allocation.parts.map(({ node }) => world.state.nodes.get(node)?.engineName ?? node)
      if (names.join() !== run.order.allocation.parts.map(({ node }) => node).join())
        this.#find('S1', world, `${run.attempt} runs on other nodes than its allocation names`)
    }
  }

  /** S5: whatever was acknowledged is in the store. */
  #acknowledgedSurvive(world: World): void {
    if (!world.store) return
    for (const workload of acknowledgedOf(world))
      if (!world.store.has(workload))
        this.#find('S5', world, `${workload} was acknowledged and is not in the store`)
  }

  /** S6: the log alone gives the same state, byte for byte. */
  #replayAgrees(world: World): void {
    if (!world.store || !world.server.isServing) return
    const replayed = emptyState()
    for (const logged of world.store.log) evolve(replayed, logged)
    if (serialiseState(replayed) !== serialiseState(world.state))
      this.#find('S6', world, `replaying ${world.store.log.length} events gives another state`)
  }

  readonly #find: Find = (rule, world, detail) => {
    const key = `${rule} ${detail}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.findings.push({ rule, atMs: world.nowMs, detail })
  }
}

/** Whether the event makes the node another than it was, or gives these GPUs of it to others. */
function isTakenBy(event: LoggedEvent['event'], node: NodeId, gpus: readonly number[]): boolean {
  if (event.kind === 'node-described') return event.node.id === node
  return event.kind === 'node-foreign' && event.node === node && event.gpus.some((gpu) => gpus.includes(gpu))
}

function acknowledgedOf({ acknowledged }: World): WorkloadId[] {
  return acknowledged.filter((workload) => workload !== undefined)
}
