import type { TimeMs } from '../base/index.ts'
import type { QueueRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { isPartOf, isWithinGuarantee } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { type Entry, type Group, inOrder, type Lane } from './waiting.ts'

/** Gangs of one queue that are tried in one pass. */
const TRIED_PER_QUEUE = 2
/** Gangs that are tried for each action in one pass; what is left waits for the next. */
const TRIED = 4
/** Gangs of one lane that are looked at, where a lane mixes queues. */
const LOOKED_AT = 64

interface Line {
  readonly machine: Machine
  readonly now: TimeMs
  requestOf(entry: Entry): RequestClass
  /** Gangs that have what they want. */
  readonly served: ReadonlySet<Entry>
}

/** Who in the line has a claim to room that others hold: found without walking the whole line. */
export class Contenders {
  private readonly pass: Line

  constructor(pass: Line) {
    this.pass = pass
  }

  /** The first gangs of each queue that holds less than it is guaranteed, highest priority first. */
  belowGuarantee(): Entry[] {
    const { queues } = this.pass.machine
    const below = queues.guaranteed.filter((record) => record.heldMilli < queues.guaranteedMilli(record))
    if (below.length === 0) return []
    return this.first(
      (queue) => below.some((record) => isPartOf(queue, record)),
      (entry) => this.isWithinItsGuarantee(entry),
    )
  }

  /** The first gangs of each queue that itself runs work of lower priority that may be ended. */
  aboveOwnQueue(): Entry[] {
    return this.first((queue, priority) => {
      for (const [running, live] of queue.live) if (running < priority && live.size > 0) return true
      return false
    })
  }

  /** Gangs that are too large for the guarantee, or that avoid nodes, would only take the turn of those that can be helped. */
  private isWithinItsGuarantee(entry: Entry): boolean {
    const { machine, now } = this.pass
    const option = this.pass.requestOf(entry).options[0]
    return (
      option !== undefined &&
      isWithinGuarantee(machine, entry.queue, option.gpuMilli) &&
      !entry.gang.avoid.some(({ until }) => until > now)
    )
  }

  private first(
    claims: (queue: QueueRecord, priority: number) => boolean,
    canBeHelped: (entry: Entry) => boolean = () => true,
  ): Entry[] {
    const found: Entry[] = []
    for (const { root, priority } of this.pass.machine.waiting.bands) {
      const byQueue = new Map<QueueRecord, Entry[]>()
      for (const lane of lanesOf(root)) {
        for (const entry of this.claimants(lane, (queue) => claims(queue, priority), canBeHelped)) {
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

  private claimants(
    lane: Lane,
    claims: (queue: QueueRecord) => boolean,
    canBeHelped: (entry: Entry) => boolean,
  ): Entry[] {
    const found: Entry[] = []
    const end = Math.min(lane.entries.length, LOOKED_AT)
    for (let i = 0; i < end && found.length < TRIED_PER_QUEUE; i++) {
      const entry = lane.entries[i]!
      if (this.pass.served.has(entry)) continue
      if (claims(entry.queue)) {
        if (canBeHelped(entry)) found.push(entry)
      }
      // Under fair order all of a lane is of one queue.
      else if (lane.group.usage) break
    }
    return found
  }
}

function* lanesOf(group: Group): Generator<Lane> {
  yield* group.lanes
  for (const child of group.groups) yield* lanesOf(child)
}
