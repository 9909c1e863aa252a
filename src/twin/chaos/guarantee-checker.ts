import type { NodeId, QueueId, TimeMs } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { Node, Queue, Workload } from '../../model/index.ts'
import { allocatedGpus } from '../../model/index.ts'
import { nodesOfReservation } from '../../scheduler/index.ts'
import type { World } from '../world/world.ts'
import type { Find } from './finding.ts'

/** Slack over the promised grace before a lender counts as held below its guarantee: the pass, the stop, and the next pass. */
const RECLAIM_SLACK_MS = 120_000

/**
 * S8: no queue waits below its guarantee for longer than the grace, while one node alone would do for a gang of it if
 * others gave back what they borrowed there. It judges only what is sure to be possible: plain gangs on open nodes.
 */
export class GuaranteeChecker {
  readonly #belowSince = new Map<QueueId, TimeMs>()
  readonly #find: Find

  constructor(find: Find) {
    this.#find = find
  }

  onEvents(events: readonly LoggedEvent[]): void {
    // Under other promises the grace begins again.
    if (events.some(({ event }) => event.kind === 'policy-set' || event.kind === 'queue-set'))
      this.#belowSince.clear()
  }

  onStep(world: World): void {
    // Nobody can be given anything by a server that is not there: the grace begins again.
    if (!world.server.isServing) this.#belowSince.clear()
    else for (const queue of world.state.queues.values()) this.#judge(queue, world)
  }

  #judge(queue: Queue, world: World): void {
    if (queue.guaranteedGpus === 0 || this.#isBeingServed(queue.id, world) || !isKeptWaiting(queue, world)) {
      this.#belowSince.delete(queue.id)
      return
    }
    const since = this.#belowSince.get(queue.id) ?? world.nowMs
    this.#belowSince.set(queue.id, since)
    const { reclaimGraceMs, minimumRunMs, evictionGraceMs } = world.state.policy
    const promised = reclaimGraceMs + minimumRunMs + evictionGraceMs + RECLAIM_SLACK_MS
    if (world.nowMs - since > promised)
      this.#find('S8', world, `${queue.id} waits below its guarantee since ${since}`)
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
}

function isKeptWaiting(queue: Queue, world: World): boolean {
  const { state, nowMs } = world
  let held = 0
  for (const attempt of state.attempts.values())
    if (state.workloads.get(attempt.workload)?.queue === queue.id) held += allocatedGpus(attempt.allocation)
  const room = queue.guaranteedGpus - held
  const lent = lentGpus(queue, world)
  for (const workload of state.workloads.values()) {
    const gpus = plainGpus(workload)
    if (workload.queue !== queue.id || workload.state !== 'queued' || gpus === 0 || gpus > room) continue
    if (workload.waitsFor.length > 0 || workload.notBefore > nowMs) continue
    for (const [node, there] of lent) {
      const isAvoided = workload.avoidedNodes.some(
        (avoided) => avoided.node === node && avoided.until > nowMs,
      )
      if (there >= gpus && !isAvoided) return true
    }
  }
  return false
}

/** GPUs of a gang that asks for nothing else; 0 for any other. */
function plainGpus({ spec: { resources } }: Workload): number {
  const { shape, ...bounds } = resources
  return shape.kind === 'gpus' && Object.keys(bounds).length === 0 ? shape.gpus : 0
}

/** Whole GPUs by node that gangs on that node alone hold beyond any guarantee, and would give back; only nodes that are open to all. */
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
  const inWindows = new Set<NodeId>()
  for (const reservation of state.reservations.values())
    for (const node of nodesOfReservation(state.derived.machine, reservation)) inWindows.add(node)
  return new Map(
    [...lent]
      .filter(([node]) => isOpen(state.nodes.get(node)) && !inWindows.has(node))
      .map(([node, gpus]) => [node, gpus.size - shared(gpus, kept.get(node))]),
  )
}

/** Others hold nothing on it that its own work may have to leave to them. */
function isOpen(node: Node | undefined): boolean {
  return node?.state === 'ready' && node.foreign === undefined
}

function shared(gpus: ReadonlySet<number>, others: ReadonlySet<number> = new Set()): number {
  return [...gpus].filter((gpu) => others.has(gpu)).length
}
