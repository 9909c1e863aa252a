import type { AttemptId, NodeId, QueueId, TimeMs, WorkloadId } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { emptyState, evolve, serialiseState, violations } from '../../control/index.ts'
import type { Queue } from '../../model/index.ts'
import { allocatedGpus } from '../../model/index.ts'
import { explain } from '../../scheduler/index.ts'
import type { Observer, World } from '../world/world.ts'

/** A safety rule that was seen broken. */
export interface Finding {
  /** `S1` to `S10`, or `live` when work neither ended nor is explained. */
  readonly rule: string
  readonly atMs: TimeMs
  readonly detail: string
}

/** Slack over the promised grace before a lender counts as held below its guarantee: the pass, the stop, and the next pass. */
const RECLAIM_SLACK_MS = 120_000

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
  readonly #avoid = new Map<WorkloadId, Map<NodeId, TimeMs>>()
  readonly #belowSince = new Map<QueueId, TimeMs>()
  readonly #finished = new Set<WorkloadId>()
  readonly #infeasible: ReadonlySet<number>

  /** `infeasible`: jobs that no state of this fleet could ever run. */
  constructor(infeasible: ReadonlySet<number>) {
    this.#infeasible = infeasible
  }

  readonly onEvents = (events: readonly LoggedEvent[], world: World): void => {
    for (const logged of events) {
      this.#inOrder(logged, world)
      this.#ledger(logged, world)
    }
    this.#evictionsServe(events, world)
    for (const { rule, detail } of violations(world.state)) {
      // The proof of a plan ends with the nodes that it counted on.
      if (rule !== 'S3' || !this.#lostItsPlace(world)) this.#find(rule, world, detail)
    }
  }

  readonly onStep = (world: World): void => {
    this.#noGpuRunsTwo(world)
    if (world.server.isServing) this.#guarantees(world)
    // Nobody can be given anything by a server that is not there: the grace begins again.
    else this.#belowSince.clear()
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
      if (!this.#infeasible.has(job))
        this.#find(
          'live',
          world,
          `${workload.id} is ${workload.state} long after all was healed: ${workload.stateReason}`,
        )
      else if (explain(world.state.derived.machine, world.nowMs, workload.id, 0).blockers.length === 0)
        this.#find('live', world, `${workload.id} can never start, and nothing says why`)
    }
    const missing = world.setup.jobs.length - world.acknowledged.size - world.refused.length
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
      if (event.kind === 'hold-released' && event.reason === 'no longer needed') {
        for (const [attempt, beneficiary] of this.#owed) {
          const isHeld = [...world.state.holds.values()].some(({ workload }) => workload === beneficiary)
          if (isHeld || this.#isServed(beneficiary, events, world)) continue
          this.#owed.delete(attempt)
          if (!this.#lostItsPlace(world))
            this.#find('S3', world, `${attempt} was evicted for ${beneficiary}, whose hold was given up`)
        }
      }
    }
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

  /** A hold may be given up when a node of it went out of use: then the proof of the plan no longer holds. */
  #lostItsPlace(world: World): boolean {
    return [...world.state.nodes.values()].some(({ state }) => state !== 'ready')
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
      const nodes = (parts: readonly { node: NodeId }[]) => parts.map(({ node }) => node).join(' ')
      if (nodes(live.allocation.parts) !== nodes(run.order.allocation.parts))
        this.#find('S1', world, `${run.attempt} runs on other nodes than its allocation names`)
    }
  }

  /** S5: whatever was acknowledged is in the store. */
  #acknowledgedSurvive(world: World): void {
    if (!world.store) return
    for (const workload of world.acknowledged.values())
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

  /**
   * S8: no queue waits below its guarantee for longer than the grace, while one node alone would do for a gang of it
   * if others gave back what they borrowed there.
   */
  #guarantees(world: World): void {
    const { state } = world
    for (const queue of state.queues.values()) {
      if (
        queue.guaranteedGpus > 0 &&
        !this.#isBeingServed(queue.id, world) &&
        this.#isKeptWaiting(queue, world)
      ) {
        const since = this.#belowSince.get(queue.id) ?? world.nowMs
        this.#belowSince.set(queue.id, since)
        const { reclaimGraceMs, minimumRunMs, evictionGraceMs } = state.policy
        const promised = reclaimGraceMs + minimumRunMs + evictionGraceMs + RECLAIM_SLACK_MS
        if (world.nowMs - since > promised)
          this.#find('S8', world, `${queue.id} waits below its guarantee since ${since}`)
      } else this.#belowSince.delete(queue.id)
    }
  }

  /** Whether room is being made for the queue, or something of it has started since it was looked at. */
  #isBeingServed(queue: QueueId, world: World): boolean {
    const { state } = world
    const since = this.#belowSince.get(queue) ?? world.nowMs
    for (const hold of state.holds.values())
      if (state.workloads.get(hold.workload)?.queue === queue) return true
    for (const attempt of state.attempts.values())
      if (attempt.plannedAt > since && state.workloads.get(attempt.workload)?.queue === queue) return true
    return false
  }

  #isKeptWaiting(queue: Queue, world: World): boolean {
    const { state } = world
    let held = 0
    for (const attempt of state.attempts.values())
      if (state.workloads.get(attempt.workload)?.queue === queue.id) held += allocatedGpus(attempt.allocation)
    const room = queue.guaranteedGpus - held
    const lent = lentGpus(queue, world)
    for (const workload of state.workloads.values()) {
      const { shape } = workload.spec.resources
      if (workload.queue !== queue.id || workload.state !== 'queued' || shape.kind !== 'gpus') continue
      if (shape.gpus > room || workload.waitsFor.length > 0 || workload.notBefore > world.nowMs) continue
      if (workload.spec.resources.gpu || workload.spec.resources.within) continue
      for (const [node, gpus] of lent) {
        const isAvoided = workload.avoidedNodes.some(
          (avoided) => avoided.node === node && avoided.until > world.nowMs,
        )
        if (gpus >= shape.gpus && !isAvoided && state.nodes.get(node)?.state === 'ready') return true
      }
    }
    return false
  }

  #find(rule: string, world: World, detail: string): void {
    const key = `${rule} ${detail}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.findings.push({ rule, atMs: world.nowMs, detail })
  }
}

/** Whole GPUs by node that gangs on that node alone hold beyond any guarantee, and would give back. */
function lentGpus(lender: Queue, { state }: World): ReadonlyMap<NodeId, number> {
  const lent = new Map<NodeId, Set<number>>()
  const kept = new Map<NodeId, Set<number>>()
  for (const attempt of state.attempts.values()) {
    const workload = state.workloads.get(attempt.workload)
    if (!workload) continue
    const borrows = (state.queues.get(workload.queue)?.guaranteedGpus ?? 0) === 0
    const { parts } = attempt.allocation
    // What has been told to stop is on its way back to somebody; that the engine is late is nobody's borrowing.
    const isLent =
      attempt.state !== 'stopping' &&
      borrows &&
      workload.queue !== lender.id &&
      workload.spec.preemptible &&
      parts.length === 1
    for (const { node, gpus } of parts) {
      const there = isLent ? lent : kept
      for (const gpu of gpus) there.set(node, (there.get(node) ?? new Set()).add(gpu))
    }
  }
  return new Map([...lent].map(([node, gpus]) => [node, gpus.size - shared(gpus, kept.get(node))]))
}

function shared(gpus: ReadonlySet<number>, others: ReadonlySet<number> = new Set()): number {
  return [...gpus].filter((gpu) => others.has(gpu)).length
}
