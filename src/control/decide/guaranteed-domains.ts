import type { Queue } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Rejection } from '../effect.ts'
import type { ControlState } from '../state.ts'

type Machine = Pick<ControlState, 'cluster' | 'nodes' | 'queues'>
type Domains = NonNullable<Queue['guaranteedDomains']>

/**
 * Why the queue cannot be guaranteed its whole domains, undefined where it can. Only what is promised anew is looked at:
 * what was guaranteed before stays so, whatever nodes and levels the cluster has lost since.
 *
 * @param machine with the queues as they would be
 * @param before the queue as it is
 */
export function checkDomains(machine: Machine, queue: Queue, before: Queue): Rejection | undefined {
  const after = queue.guaranteedDomains
  const earlier = before.guaranteedDomains
  if (!after || (after.level === earlier?.level && after.count === earlier.count)) return undefined
  if (after.level !== earlier?.level || after.count > earlier.count) {
    const parent = parentOf(machine, queue)
    const refusal =
      checkLevel(machine, queue.id, after.level) ??
      (parent?.guaranteedDomains
        ? checkInside(machine, parent, parent.guaranteedDomains, queue, after)
        : checkInCluster(machine, queue, after))
    if (refusal) return refusal
  }
  for (const child of machine.queues.values()) {
    if (child.parent !== queue.id || !child.guaranteedDomains) continue
    const refusal = checkInside(machine, queue, after, child, child.guaranteedDomains)
    if (refusal) return refusal
  }
  return undefined
}

function checkLevel({ cluster }: Machine, id: Queue['id'], level: string): Rejection | undefined {
  const levels = cluster.levels.slice(0, -1)
  if (levels.includes(level)) return undefined
  return refuse(
    `"${id}" would be guaranteed whole domains of the level "${level}", which this cluster does not have${didYouMean(level, levels)}. Levels: ${levels.join(', ') || 'none above the node'}.`,
  )
}

function checkInCluster(machine: Machine, queue: Queue, { level, count }: Domains): Rejection | undefined {
  const [there = 0] = domainCounts(machine, 0, depthOf(machine, level))
  let others = 0
  for (const other of machine.queues.values()) {
    if (other.id === queue.id || other.guaranteedDomains?.level !== level) continue
    // What a parent is guaranteed holds what its children are.
    if (!parentOf(machine, other)?.guaranteedDomains && other.parent !== queue.id)
      others += other.guaranteedDomains.count
  }
  if (count + others <= there) return undefined
  return refuse(
    others === 0
      ? `"${queue.id}" would be guaranteed ${count} whole domains of the level "${level}", but this cluster has ${there}. Guarantee it at most ${there}, or add nodes first.`
      : `"${queue.id}" would be guaranteed ${count} whole domains of the level "${level}" and other queues have ${others}, but this cluster has ${there}. Guarantee it at most ${Math.max(0, there - others)}, lower theirs first, or add nodes.`,
  )
}

/** Whether what the child is guaranteed, its siblings counted, is inside what the parent is. */
function checkInside(
  machine: Machine,
  parent: Queue,
  outer: Domains,
  child: Queue,
  { level, count }: Domains,
): Rejection | undefined {
  const [outerDepth, depth] = [depthOf(machine, outer.level), depthOf(machine, level)]
  if (depth < outerDepth)
    return refuse(
      `"${child.id}" would be guaranteed whole domains of the level "${level}", but its parent "${parent.id}" only of "${outer.level}", which is inside of it. Guarantee the parent domains of "${level}", or the child of "${outer.level}".`,
    )
  let together = count
  for (const other of machine.queues.values())
    if (other.id !== child.id && other.parent === parent.id && other.guaranteedDomains?.level === level)
      together += other.guaranteedDomains.count
  const backed =
    depth === outerDepth
      ? outer.count
      : domainCounts(machine, outerDepth, depth)
          .slice(0, outer.count)
          .reduce((sum, inside) => sum + inside, 0)
  if (together <= backed) return undefined
  return refuse(
    `The queues under "${parent.id}" would be guaranteed ${together} whole domains of the level "${level}" together, but "${parent.id}" itself has ${outer.count} of "${outer.level}"${depth === outerDepth ? '' : `, in which there are at most ${backed}`}. Raise its guarantee first, or lower theirs.`,
  )
}

/** How many domains of a depth there are in each domain of an outer depth, the most first; 0 is the whole cluster. Lost nodes count. */
function domainCounts({ nodes }: Machine, outerDepth: number, depth: number): number[] {
  const inside = new Map<string, Set<string>>()
  for (const { domains } of nodes.values()) {
    const outer = JSON.stringify(domains.slice(0, outerDepth))
    const names = inside.get(outer) ?? new Set()
    inside.set(outer, names.add(JSON.stringify(domains.slice(0, depth))))
  }
  return Array.from(inside.values(), ({ size }) => size).sort((a, b) => b - a)
}

function depthOf({ cluster }: Machine, level: string): number {
  return cluster.levels.indexOf(level) + 1
}

function parentOf({ queues }: Machine, { parent }: Queue): Queue | undefined {
  return parent === undefined ? undefined : queues.get(parent)
}

function refuse(message: string): Rejection {
  return { code: 'invalid-queue', message }
}
