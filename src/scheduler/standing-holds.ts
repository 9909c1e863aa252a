import type { TimeMs } from '../base/index.ts'
import type { Machine } from './machine.ts'
import type { Hold } from './plan.ts'
import { reachesIntoWindow } from './windows.ts'

/** A hold is kept while its gang is there and none of its nodes was lost, or has failed the gang since. */
export function isOfUse(machine: Machine, hold: Hold, now: TimeMs): boolean {
  const gang = machine.gang(hold.workload, hold.replica)
  if (!gang || reachesIntoWindow(machine, hold, now)) return false
  return hold.allocation.parts.every(
    (part) =>
      machine.fleet.nodes.get(part.node)?.state === 'ready' &&
      !gang.avoid.some(({ node, until }) => node === part.node && until > now),
  )
}
