import { compareIds } from '../base/index.ts'
import type { Policy } from '../model/index.ts'
import { type EvictionContext, hasRunEnough } from './eviction-context.ts'
import type { Occupant } from './holding.ts'

/** Something that runs, with what the policy orders by: the larger, the further behind. */
export interface Placed {
  readonly occupant: Occupant
  readonly key: number
}

/** What may be ended by the policy's order, last in the order first. */
export function liveInOrder(context: EvictionContext): Placed[] {
  const { machine, now } = context
  const order: Placed[] = []
  for (const occupant of machine.live.values()) {
    if (occupant.stopping || !occupant.gang.preemptible) continue
    context.wakeAt(machine.nextLevelAt(occupant, now))
    if (hasRunEnough(context, occupant)) order.push({ occupant, key: machine.liveKey(occupant, now) })
    else context.wakeAt(occupant.startedAt + machine.policy.minimumRunMs)
  }
  return order.sort((a, b) => b.key - a.key || compareIds(b.occupant.attempt!, a.occupant.attempt!))
}

/**
 * Without levels of service, one that waits must have been given less than half as much as one that runs before it takes
 * its place: the turns grow longer each time, and both end.
 */
export function isFarBehind(policy: Policy, running: number, waiting: number): boolean {
  if (policy.ordering !== 'least-attained-service' || policy.serviceLevels.length > 0) return true
  return running > 2 * waiting
}
