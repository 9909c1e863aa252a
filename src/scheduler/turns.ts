import type { TimeMs } from '../base/index.ts'
import type { QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { type Entry, type Group, inOrder, type Lane } from './waiting.ts'

/**
 * Whose turn it is in one pass: the highest priority first; in it, under `fair`, at each level of the tree of queues
 * the one below its guarantee, then the one with the smallest share; then key, age and id. A start raises the shares
 * on its path at once.
 */
export class Turns {
  private readonly machine: Machine
  private readonly now: TimeMs
  private readonly pass: number
  private band = 0
  /** Request classes of which nothing can start any more in this pass. */
  private readonly closed = new Set<string>()

  constructor(machine: Machine, now: TimeMs) {
    this.machine = machine
    this.now = now
    this.pass = ++machine.waiting.passes
  }

  /** The gang whose turn it is; the same one until it is started, passed over or its class is closed. */
  next(): Entry | undefined {
    const { bands } = this.machine.waiting
    for (; this.band < bands.length; this.band++) {
      const lane = this.laneIn(bands[this.band]!.root)
      if (lane) return lane.entries[lane.cursor]
    }
    return undefined
  }

  started(entry: Entry): void {
    entry.lane!.cursor++
    for (let group: Group | undefined = entry.lane!.group; group; group = group.parent) this.measure(group)
  }

  passOver(entry: Entry): void {
    entry.lane!.cursor++
  }

  /** No gang with this one's request, whosoever it is, has a turn any more. */
  closeClass(entry: Entry): void {
    this.closed.add(entry.classKey)
    entry.lane!.cursor = entry.lane!.entries.length
  }

  private laneIn(group: Group): Lane | undefined {
    this.visit(group)
    while (!group.done) {
      const lane = group.lanes.length > 0 ? this.bestLane(group) : this.bestGroup(group)
      if (lane) return lane
    }
    return undefined
  }

  private bestLane(group: Group): Lane | undefined {
    let best: Lane | undefined
    for (const lane of group.lanes) {
      if (lane.pass !== this.pass) {
        lane.pass = this.pass
        lane.cursor = this.closed.has(lane.classKey) ? lane.entries.length : 0
      }
      const head = lane.entries[lane.cursor]
      if (head && (!best || inOrder(head, best.entries[best.cursor]!) < 0)) best = lane
    }
    if (!best) group.done = true
    return best
  }

  private bestGroup(group: Group): Lane | undefined {
    let best: Group | undefined
    for (const child of group.groups) {
      this.visit(child)
      if (child.done) continue
      if (
        !best ||
        (child.belowGuarantee && !best.belowGuarantee) ||
        (child.belowGuarantee === best.belowGuarantee && child.share < best.share)
      )
        best = child
    }
    if (!best) {
      group.done = true
      return undefined
    }
    return this.laneIn(best)
  }

  private visit(group: Group): void {
    if (group.pass === this.pass) return
    group.pass = this.pass
    group.done = false
    this.measure(group)
  }

  private measure(group: Group): void {
    const { usage } = group
    if (!usage) return
    const { queues, fleet, policy } = this.machine
    group.share = queues.share(usage, this.now, fleet.capacityMilli, policy.entryPenaltyMs)
    group.belowGuarantee = 'queue' in usage && usage.heldMilli < queues.guaranteedMilli(usage as QueueRecord)
  }
}
