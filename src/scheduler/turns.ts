import type { DurationMs, TimeMs } from '../base/index.ts'
import { hasOwnNodes } from './asked-nodes.ts'
import type { QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { type Entry, type Group, inOrder, type Lane } from './waiting.ts'

/** What came of one gang's turn. */
export type Verdict = 'started' | 'impossible' | 'quota' | 'held' | 'blocked' | 'waits-for-level'

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
  /** Whose lanes have the turn until a start changes the shares. */
  private group: Group | undefined

  constructor(machine: Machine, now: TimeMs) {
    this.machine = machine
    this.now = now
    this.pass = ++machine.waiting.passes
  }

  /** The gang whose turn it is; the same one until it is started, passed over or its class is closed. */
  next(): Entry | undefined {
    const { bands } = this.machine.waiting
    let lane = this.group && this.bestLane(this.group)
    while (!lane && this.band < bands.length) {
      lane = this.laneIn(bands[this.band]!.root)
      if (!lane) this.band++
    }
    return lane?.entries.at(lane.cursor)
  }

  started(entry: Entry): void {
    entry.lane!.cursor++
    this.group = undefined
    for (let group: Group | undefined = entry.lane!.group; group; group = group.parent) this.measure(group)
  }

  passOver(entry: Entry): void {
    entry.lane!.cursor++
  }

  /** No gang with this one's request, whosoever it is, has a turn any more. */
  closeClass(entry: Entry): void {
    this.closeLonger(entry, Number.NEGATIVE_INFINITY)
    entry.lane!.cursor = entry.lane!.entries.length
  }

  /** Nor has one whose limit is longer than this, or that has none; but those that avoid nodes are asked. */
  closeLonger(entry: Entry, limitMs: DurationMs): void {
    const { bound } = entry.lane!
    bound.pass = this.pass
    bound.longestMs = limitMs
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
    let bestHead: Entry | undefined
    for (let i = 0; i < group.lanes.length; i++) {
      const lane = group.lanes.at(i)!
      const head = this.head(lane)
      if (!head || (bestHead && inOrder(head, bestHead) >= 0)) continue
      best = lane
      bestHead = head
    }
    if (best) this.group = group
    else group.done = true
    return best
  }

  /** The first gang of the lane that still has a turn. */
  private head(lane: Lane): Entry | undefined {
    if (lane.pass !== this.pass) {
      lane.pass = this.pass
      lane.cursor = 0
    }
    const { entries, bound } = lane
    if (bound.pass !== this.pass) return entries.at(lane.cursor)
    const { longestMs } = bound
    if (longestMs === Number.NEGATIVE_INFINITY) return undefined
    for (; lane.cursor < entries.length; lane.cursor++) {
      const { gang } = entries.at(lane.cursor)!
      if (hasOwnNodes(gang) || (gang.limitMs ?? Number.POSITIVE_INFINITY) <= longestMs) break
    }
    return entries.at(lane.cursor)
  }

  private bestGroup(group: Group): Lane | undefined {
    let best: Group | undefined
    for (let i = 0; i < group.groups.length; i++) {
      const child = group.groups.at(i)!
      this.visit(child)
      if (!child.done && (!best || byTurn(child, best) < 0)) best = child
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
    measure(this.machine, this.now, group)
  }
}

/** The groups that have gangs of their own, in the order in which they would have their turns if nothing started. */
export function* groupsInTurn(machine: Machine, now: TimeMs): Generator<Group> {
  for (const { root } of machine.waiting.bands) yield* inTurn(machine, now, root)
}

function* inTurn(machine: Machine, now: TimeMs, group: Group): Generator<Group> {
  if (group.lanes.length > 0) {
    yield group
    return
  }
  for (const child of group.groups) measure(machine, now, child)
  for (const child of [...group.groups].sort(byTurn)) yield* inTurn(machine, now, child)
}

/** Below its guarantee first, then the smallest share; negative when the first is before the second. */
function byTurn(a: Group, b: Group): number {
  return Number(b.belowGuarantee) - Number(a.belowGuarantee) || a.share - b.share
}

function measure({ queues, fleet, policy }: Machine, now: TimeMs, group: Group): void {
  const { usage } = group
  if (!usage) return
  group.share = queues.share(usage, now, fleet.capacityMilli, policy.entryPenaltyMs)
  group.belowGuarantee = 'queue' in usage && usage.heldMilli < queues.guaranteedMilli(usage as QueueRecord)
}
