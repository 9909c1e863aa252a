import type { QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { claimOf, depthOf } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { type Entry, type Group, inOrder, type Lane } from './waiting.ts'

/** Gangs of one queue that are tried for preemption in one pass. */
const TRIED_PER_QUEUE = 2
/** Gangs that are tried for preemption in one pass; what is left waits for the next. */
const TRIED = 4
/** Gangs of one queue and lane that have a turn at what is guaranteed in one pass. */
const CLAIMS = 8
/** Gangs of one lane that are looked at for preemption, where a lane mixes queues. */
const LOOKED_AT = 64

interface Line {
  readonly machine: Machine
  requestOf(entry: Entry): RequestClass
  /** Gangs that have what they want; absent while there are none. */
  readonly served: ReadonlyMap<Entry, unknown> | undefined
}

/** Who in the line has a claim to room that others hold: found without walking the whole line. */
export class Contenders {
  private readonly pass: Line

  constructor(pass: Line) {
    this.pass = pass
  }

  /**
   * Gangs that a guarantee has room for: those with a claim to their own queue's first, since it holds against what has
   * a claim to a parent's only; then highest priority first, then in order.
   */
  *belowGuarantee(): Generator<Entry> {
    const { queues, waiting } = this.pass.machine
    const isOwed = (record: QueueRecord) =>
      record.inLine > 0 && record.heldMilli < queues.guaranteedMilli(record)
    if (!queues.guaranteed.some(isOwed)) return
    const byDepth: Entry[][] = []
    for (const { root } of waiting.bands) {
      const here: Entry[] = []
      for (const lane of lanesOf(root))
        here.push(...this.claimants(lane, (entry) => this.claimOf(entry) !== undefined, CLAIMS))
      for (const entry of here.sort(inOrder)) {
        const claim = this.claimOf(entry)
        if (!claim) continue
        const depth = depthOf(claim)
        const there = byDepth[depth]
        if (there) there.push(entry)
        else byDepth[depth] = [entry]
      }
    }
    for (const entries of byDepth.reverse())
      for (const entry of entries ?? []) if (!this.pass.served?.has(entry) && this.claimOf(entry)) yield entry
  }

  /** The first gangs of each queue that itself runs work of lower priority that may be ended. */
  aboveOwnQueue(): Entry[] {
    return this.first((queue, priority) => {
      for (const [running, live] of queue.live) if (running < priority && live.size > 0) return true
      return false
    })
  }

  private claimOf(entry: Entry): QueueRecord | undefined {
    const option = this.pass.requestOf(entry).options[0]
    return option && claimOf(this.pass.machine, entry.queue, option.gpuMilli)
  }

  private first(claims: (queue: QueueRecord, priority: number) => boolean): Entry[] {
    const found: Entry[] = []
    for (const { root, priority } of this.pass.machine.waiting.bands) {
      const byQueue = new Map<QueueRecord, Entry[]>()
      for (const lane of lanesOf(root)) {
        const mayPreempt = ({ queue }: Entry) => claims(queue, priority)
        for (const entry of this.claimants(lane, mayPreempt, TRIED_PER_QUEUE, LOOKED_AT)) {
          const here = byQueue.get(entry.queue)
          if (here) here.push(entry)
          else byQueue.set(entry.queue, [entry])
        }
      }
      for (const entries of byQueue.values()) {
        found.push(...entries.sort(inOrder).slice(0, TRIED_PER_QUEUE))
      }
      if (found.length >= TRIED) return found.slice(0, TRIED)
    }
    return found
  }

  /** Of each queue with a claim the first gangs of the lane, `most` at most, among the first `lookedAt` of all queues. */
  private claimants(
    lane: Lane,
    claims: (first: Entry) => boolean,
    most: number,
    lookedAt = lane.entries.length,
  ): Entry[] {
    const found: Entry[] = []
    const left = new Map<QueueRecord, number>()
    const end = Math.min(lane.entries.length, lookedAt)
    for (let i = 0; i < end; i++) {
      const entry = lane.entries.at(i)!
      if (this.pass.served?.has(entry)) continue
      const { queue } = entry
      const more = left.get(queue) ?? (claims(entry) ? most : 0)
      if (more > 0) found.push(entry)
      // Under fair order all of a lane is of one queue.
      if (more <= 1 && lane.group.usage) break
      left.set(queue, more - 1)
    }
    return found
  }
}

function* lanesOf(group: Group): Generator<Lane> {
  yield* group.lanes
  for (const child of group.groups) yield* lanesOf(child)
}
