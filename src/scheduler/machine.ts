import type {
  AttemptId,
  DurationMs,
  NodeId,
  QueueId,
  ReservationId,
  TimeMs,
  WorkloadId,
} from '../base/index.ts'
import { assert, broken, compareIds, present } from '../base/index.ts'
import type { Allocation, NodeDescription, NodeState, Policy, Queue, Reservation } from '../model/index.ts'
import { DEFAULT_POLICY, renamedAllocation, renamedList, renamedReservation } from '../model/index.ts'
import { spendBudgets } from './budget.ts'
import { Fleet } from './fleet.ts'
import { asItStands, type Footprint, footprintGpuMilli, toFootprint } from './footprint.ts'
import { gangKey, type LiveAttempt, type QueuedGang } from './gang.ts'
import { type HeldCapacity, keptFor } from './held-capacity.ts'
import type { Occupant, UserRecord } from './holding.ts'
import { liveKey, nextLevelAt, orderKey } from './order-keys.ts'
import type { Hold } from './plan.ts'
import { QueueTree } from './queue-tree.ts'
import { RunHistory } from './run-history.ts'
import { Waiting } from './waiting.ts'

/** How an attempt ended, as far as the history of run times cares. */
export interface EndDetails {
  /** Whether it ran to its own end; only such runs teach the history. Absent means that it did not. */
  readonly completed?: boolean
}

export interface LiveChange {
  readonly checkpointAt?: TimeMs
  readonly stopping?: boolean
  /** As its program has told by now; undefined once it does not tell any more. */
  readonly timeLeft?: QueuedGang['timeLeft']
  /** Other replicas of the workload have failed there. */
  readonly avoid?: QueuedGang['avoid']
}

/**
 * The state that scheduling passes read: nodes, queues, the line of queued gangs and what is live. `control` tells it
 * every event, each in time that grows with the logarithm of what is there; passes leave it as it was.
 */
export class Machine {
  readonly queues: QueueTree
  readonly fleet: Fleet
  waiting: Waiting
  policy: Policy
  history: RunHistory
  readonly live = new Map<AttemptId, Occupant>()
  /** How many attempts are live whose size may change; those that only a forecast has ended still count. */
  elasticCount = 0
  readonly held = new Map<ReservationId, HeldCapacity>()
  /** Calendar windows, past ones included until they are removed. */
  readonly reservations = new Map<ReservationId, Reservation>()

  constructor(levels: readonly string[], policy: Policy = DEFAULT_POLICY) {
    this.policy = policy
    this.queues = new QueueTree(policy.usageHalfLifeMs)
    this.fleet = new Fleet(levels, this.queues)
    this.waiting = new Waiting(policy.ordering)
    this.history = new RunHistory()
  }

  /** Only while it has no nodes. */
  setLevels(levels: readonly string[]): void {
    assert(this.fleet.nodes.size === 0, 'levels are set before the first node')
    this.fleet.levels = levels
  }

  /** Adds or changes a node; what is allocated on it stays. */
  setNode(description: NodeDescription, state: NodeState): void {
    this.fleet.setNode(description, state)
  }

  removeNode(id: NodeId): void {
    for (const { hold } of this.held.values())
      if (hold.allocation.parts.some((part) => part.node === id)) this.releaseHold(hold.id)
    this.fleet.removeNode(id)
  }

  /** GPUs of a node that others than Banyan hold; none when there are none any more. */
  setForeignUse(node: NodeId, gpus: readonly number[]): void {
    this.fleet.setForeign(node, gpus)
    this.refillHolds()
  }

  /** What stands on the node, is kept on it or avoids it goes on under its new name. */
  renameNode(from: NodeId, to: NodeId): void {
    this.fleet.renameNode(from, to)
    for (const [id, held] of this.held) {
      const allocation = renamedAllocation(held.hold.allocation, from, to)
      this.held.set(id, { ...held, hold: { ...held.hold, allocation } })
    }
    for (const [id, reservation] of this.reservations)
      this.reservations.set(id, renamedReservation(reservation, from, to))
    for (const occupant of this.live.values()) {
      const avoid = renamedList(occupant.gang.avoid, from, to)
      if (avoid !== occupant.gang.avoid) occupant.gang = { ...occupant.gang, avoid }
    }
    for (const { gang } of Array.from(this.waiting.entries.values())) {
      const avoid = renamedList(gang.avoid, from, to)
      if (avoid !== gang.avoid) this.updateQueued({ ...gang, avoid })
    }
  }

  setQueue(queue: Queue): void {
    const before = this.queues.of(queue.id)
    this.queues.set(queue)
    if (this.queues.of(queue.id) !== before) this.reorder()
  }

  removeQueue(id: QueueId): void {
    this.queues.remove(id)
  }

  setPolicy(policy: Policy, now: TimeMs = 0): void {
    const before = this.policy
    this.policy = policy
    this.queues.setHalfLife(policy.usageHalfLifeMs, now)
    const isSameOrder =
      before.ordering === policy.ordering &&
      before.runTimes === policy.runTimes &&
      before.serviceLevels.join() === policy.serviceLevels.join() &&
      before.serviceSizeWeight === policy.serviceSizeWeight
    if (!isSameOrder) this.reorder()
  }

  enqueue(gang: QueuedGang): void {
    this.fleet.mix.enter(gang.request)
    const queue = this.queues.of(gang.queue)
    this.waiting.add(gang, queue, this.queues.user(queue, gang.user), orderKey(this, gang))
  }

  dequeue(workload: WorkloadId, replica: number): void {
    const entry = this.waiting.remove(workload, replica)
    if (entry) this.fleet.mix.leave(entry.gang.request)
  }

  /** For a changed priority, dependency or back-off. */
  updateQueued(gang: QueuedGang): void {
    const entry = this.waiting.remove(gang.workload, gang.replica)
    if (entry) this.fleet.mix.forget(entry.gang.request)
    this.enqueue(gang)
  }

  /** Takes the gang out of the line and gives it its allocation, out of its hold when it has one. Asserts S2. */
  start(gang: QueuedGang, live: LiveAttempt): void {
    if (this.live.has(live.attempt)) broken(`attempt ${live.attempt} is started twice`)
    if (!this.waiting.remove(gang.workload, gang.replica)) this.fleet.mix.enter(gang.request)
    for (const { hold } of this.held.values())
      if (hold.workload === gang.workload && hold.replica === gang.replica) this.releaseHold(hold.id)
    const occupant = this.occupant(
      gang,
      this.footprintOf(gang, live.allocation),
      live.startedAt,
      live.attempt,
      live.boundMs,
    )
    occupant.stopping = live.stopping
    occupant.checkpointAt = live.checkpointAt
    this.fleet.occupy(occupant)
    this.live.set(live.attempt, occupant)
    if (gang.request.elastic) this.elasticCount++
  }

  updateLive(attempt: AttemptId, change: LiveChange): void {
    const occupant = this.attempt(attempt)
    if (change.checkpointAt !== undefined) occupant.checkpointAt = change.checkpointAt
    if (change.stopping !== undefined) occupant.stopping = change.stopping
    if ('timeLeft' in change) occupant.gang = { ...occupant.gang, timeLeft: change.timeLeft }
    if (change.avoid) occupant.gang = { ...occupant.gang, avoid: change.avoid }
  }

  /** Frees the allocation, books its use, and lets the holds keep what they were waiting for. */
  end(attempt: AttemptId, at: TimeMs, details: EndDetails = {}): void {
    const occupant = this.attempt(attempt)
    this.fleet.vacate(occupant)
    this.live.delete(attempt)
    if (occupant.gang.request.elastic) this.elasticCount--
    this.fleet.mix.leave(occupant.gang.request)
    this.queues.charge(occupant.user, occupant.model, occupant.gpuMilli, occupant.startedAt, at)
    spendBudgets(occupant.user.parent, { from: occupant.startedAt, to: at, gpuMilli: occupant.gpuMilli })
    if (details.completed) this.history.add(occupant.gang, at - occupant.startedAt)
    this.refillHolds()
  }

  setReservation(reservation: Reservation): void {
    this.reservations.set(reservation.id, reservation)
  }

  removeReservation(id: ReservationId): void {
    this.reservations.delete(id)
  }

  placeHold(hold: Hold): void {
    assert(!this.held.has(hold.id), `hold ${hold.id} is placed twice`)
    const gang = present(
      this.gang(hold.workload, hold.replica),
      `gang ${gangKey(hold.workload, hold.replica)} of hold ${hold.id}`,
    )
    this.held.set(hold.id, { hold, gang, occupants: [] })
    this.refillHolds()
  }

  releaseHold(id: ReservationId): void {
    const held = this.held.get(id)
    if (!held) return
    for (const occupant of held.occupants) this.fleet.vacate(occupant)
    this.held.delete(id)
    this.refillHolds()
  }

  /** A machine of its own that shares only what never changes. */
  clone(): Machine {
    const copy = new Machine(this.fleet.levels, this.policy)
    const queues = this.queues.clone()
    const remap = (user: UserRecord) => queues.user(queues.of(user.parent.queue.id), user.user)
    Object.assign(copy, {
      queues,
      fleet: new Fleet(this.fleet.levels, queues, this.fleet.mix.clone()),
      history: this.history.clone(),
    })
    const occupants = this.fleet.copyInto(copy.fleet, remap)
    for (const [attempt, occupant] of this.live) copy.live.set(attempt, occupants.get(occupant)!)
    copy.elasticCount = this.elasticCount
    for (const [id, held] of this.held)
      copy.held.set(id, { ...held, occupants: held.occupants.map((occupant) => occupants.get(occupant)!) })
    for (const [id, reservation] of this.reservations) copy.reservations.set(id, reservation)
    for (const entry of this.waiting.entries.values())
      copy.waiting.add(entry.gang, queues.of(entry.queue.queue.id), remap(entry.user), entry.key)
    return copy
  }

  /** The record of something that takes this footprint; takes nothing itself. */
  occupant(
    gang: QueuedGang,
    footprint: Footprint,
    startedAt: TimeMs,
    attempt: AttemptId | undefined,
    boundMs = this.boundMs(gang),
  ): Occupant {
    return {
      gang,
      user: this.queues.user(this.queues.of(gang.queue), gang.user),
      attempt,
      footprint,
      model: this.fleet.modelOf(footprint),
      gpuMilli: footprintGpuMilli(footprint),
      startedAt,
      endsAt: startedAt + boundMs,
      checkpointAt: undefined,
      stopping: false,
    }
  }

  /** The time after which it has ended: its limit, or what is expected of it when it has none. */
  boundMs(gang: QueuedGang): DurationMs {
    return gang.limitMs ?? this.history.predict(gang)
  }

  footprintOf(gang: QueuedGang, allocation: Allocation): Footprint {
    const { cpuMilli = 0, memoryMib = 0 } = gang.request
    return asItStands(toFootprint(this.fleet.tree, allocation, cpuMilli, memoryMib), this.fleet.isThere)
  }

  attempt(attempt: AttemptId): Occupant {
    return present(this.live.get(attempt), 'live attempt', attempt)
  }

  /** What the policy orders by, for a gang that runs: comparable with the keys of queued ones. */
  liveKey(occupant: Occupant, now: TimeMs): number {
    return liveKey(this, occupant, now)
  }

  /** When a running gang reaches its next level of attained service; undefined where there is none. */
  nextLevelAt(occupant: Occupant, now: TimeMs): TimeMs | undefined {
    return nextLevelAt(this, occupant, now)
  }

  /** The gang, queued or live. */
  gang(workload: WorkloadId, replica: number): QueuedGang | undefined {
    const queued = this.waiting.get(workload, replica)
    if (queued) return queued.gang
    for (const { gang } of this.live.values())
      if (gang.workload === workload && gang.replica === replica) return gang
    return undefined
  }

  private reorder(): void {
    const { entries } = this.waiting
    this.waiting = new Waiting(this.policy.ordering)
    for (const { gang } of entries.values()) {
      this.fleet.mix.forget(gang.request)
      this.enqueue(gang)
    }
  }

  /** Holds by id, so that nothing depends on the order in which they became known. */
  holdsInOrder(): readonly HeldCapacity[] {
    if (this.held.size === 0) return NO_HOLDS
    return [...this.held.values()].sort((a, b) => compareIds(a.hold.id, b.hold.id))
  }

  private refillHolds(): void {
    const holds = this.holdsInOrder()
    for (const { occupants } of holds) for (const occupant of occupants) this.fleet.vacate(occupant)
    for (const held of holds) {
      const { hold, gang } = held
      const wanted = this.occupant(gang, this.footprintOf(gang, hold.allocation), 0, undefined)
      held.occupants = keptFor(this.fleet, this.live, hold, wanted)
      for (const occupant of held.occupants) this.fleet.occupy(occupant)
    }
  }
}

/** Mostly there are none, and this is asked in every pass and at every end. */
const NO_HOLDS: readonly HeldCapacity[] = []
