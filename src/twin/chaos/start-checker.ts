import type { QueueId } from '../../base/index.ts'
import { DAY_MS } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { Attempt, Queue, Reservation, Workload } from '../../model/index.ts'
import { allocatedGpus } from '../../model/index.ts'
import { nodesOfReservation } from '../../scheduler/index.ts'
import type { World } from '../world/world.ts'
import type { Find } from './finding.ts'

/** Work without a limit is kept off windows that open within this. */
const LOOK_AHEAD_MS = 7 * DAY_MS

/** What a start may not do: reach into a calendar window (C1), or take a queue or a user above a limit (Q1). */
export function checkStarts(events: readonly LoggedEvent[], world: World, find: Find): void {
  for (const { event, at } of events) {
    if (event.kind !== 'attempt-planned') continue
    const workload = world.state.workloads.get(event.workload)
    const attempt = world.state.attempts.get(event.attempt)
    if (!workload || !attempt) continue
    for (const reservation of world.state.reservations.values())
      if (reaches(workload, at, reservation, world) && standsOn(attempt, reservation, world))
        find('C1', world, `${event.attempt} starts on a node of ${reservation.id}`)
    checkLimits(workload, world, find)
  }
}

function reaches({ spec, owner, queue }: Workload, at: number, window: Reservation, world: World): boolean {
  if (window.to <= at || window.from >= at + (spec.limitMs ?? LOOK_AHEAD_MS)) return false
  const isOwner =
    window.owners?.users?.includes(owner.user) ||
    upwards(queue, world).some(({ id }) => window.owners?.queues?.includes(id))
  return window.from > at || !isOwner
}

function standsOn({ allocation }: Attempt, window: Reservation, { state }: World): boolean {
  const nodes = new Set(nodesOfReservation(state.derived.machine, window))
  return allocation.parts.some(({ node }) => nodes.has(node))
}

function checkLimits(workload: Workload, world: World, find: Find): void {
  for (const { id, limitGpus } of upwards(workload.queue, world)) {
    if (limitGpus === undefined) continue
    const held = heldGpus(world, (other) => upwards(other.queue, world).some((above) => above.id === id))
    if (held > limitGpus) find('Q1', world, `${id} holds ${held} of ${limitGpus} GPUs`)
  }
  const most = world.state.queues.get(workload.queue)?.limitGpusPerUser
  if (most === undefined) return
  const { user } = workload.owner
  const held = heldGpus(world, (other) => other.queue === workload.queue && other.owner.user === user)
  if (held > most) find('Q1', world, `${user} holds ${held} of ${most} GPUs in ${workload.queue}`)
}

function heldGpus({ state }: World, counts: (workload: Workload) => boolean): number {
  let milli = 0
  for (const { workload, allocation } of state.attempts.values()) {
    const its = state.workloads.get(workload)
    if (its && counts(its)) milli += Math.round(allocatedGpus(allocation) * 1000)
  }
  return milli / 1000
}

/** The queue and those above it. */
function upwards(id: QueueId, { state }: World): Queue[] {
  const queues: Queue[] = []
  for (let queue = state.queues.get(id); queue; queue = queue.parent && state.queues.get(queue.parent))
    queues.push(queue)
  return queues
}
