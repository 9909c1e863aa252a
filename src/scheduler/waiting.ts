import type { DurationMs, TimeMs, WorkloadId } from '../base/index.ts'
import { broken, compareIds } from '../base/index.ts'
import type { Ordering } from '../model/index.ts'
import { gangKey, type QueuedGang } from './gang.ts'
import type { QueueRecord, UsageRecord, UserRecord } from './holding.ts'
import { OrderedList } from './ordered-list.ts'
import { requestKey, smallest } from './request-class.ts'

/** One gang in the line. */
export interface Entry {
  readonly gang: QueuedGang
  readonly queue: QueueRecord
  readonly user: UserRecord
  readonly classKey: string
  /** What the policy orders by, smaller first; fixed when the gang enters the line. */
  readonly key: number
  lane: Lane | undefined
}

/** Gangs that want the same and differ only in their place in the line: if one does not fit, none behind it does. */
export interface Lane {
  readonly name: string
  readonly priority: number
  readonly classKey: string
  readonly group: Group
  readonly entries: OrderedList<Entry>
  /** Scratch of the pass with this number: which entry's turn is next, and which have none. */
  pass: number
  cursor: number
  /** One for all lanes of the class. */
  readonly bound: TurnBound
}

/** In the pass with this number, gangs of one class with longer limits have no turn any more; minus infinity for all of them. */
export interface TurnBound {
  pass: number
  longestMs: DurationMs
}

/** A node of the fair-share tree of one priority: a queue, a user of it, or the root. Only what has gangs in line is here. */
export interface Group {
  readonly usage: UsageRecord | undefined
  readonly parent: Group | undefined
  readonly name: string
  readonly groups: OrderedList<Group>
  readonly lanes: OrderedList<Lane>
  /** Scratch of the pass with this number: its share, and whether nothing in it can have a turn any more. */
  pass: number
  share: number
  belowGuarantee: boolean
  done: boolean
}

export interface Band {
  readonly priority: number
  readonly root: Group
}

/**
 * The line of queued gangs, kept in order at all times: bands by priority, in each a tree of queues and users (one
 * group for the policies that know no fairness), in each group lanes of like requests, in each lane order by key, age
 * and id. Changing one gang costs a search in one lane.
 */
export class Waiting {
  ordering: Ordering
  readonly entries = new Map<string, Entry>()
  /** Highest priority first. */
  readonly bands: Band[] = []
  /** In line as soon as their time has come, soonest first. */
  private readonly later = new OrderedList<Entry>(byTime)
  private readonly lanes = new Map<string, Lane>()
  private readonly bounds = new Map<string, TurnBound>()
  /** Counts passes, so that their scratch needs no clearing. */
  passes = 0

  constructor(ordering: Ordering) {
    this.ordering = ordering
  }

  add(gang: QueuedGang, queue: QueueRecord, user: UserRecord, key: number): Entry {
    const name = gangKey(gang.workload, gang.replica)
    if (this.entries.has(name)) broken(`gang ${name} is queued twice`)
    const entry: Entry = {
      gang,
      queue,
      user,
      classKey: requestKey(smallest(gang.request)),
      key,
      lane: undefined,
    }
    this.entries.set(name, entry)
    if (gang.waitsFor.length > 0) return entry
    if (gang.notBefore > gang.submittedAt) this.later.insert(entry)
    else this.enterLane(entry)
    return entry
  }

  remove(workload: WorkloadId, replica: number): Entry | undefined {
    const name = gangKey(workload, replica)
    const entry = this.entries.get(name)
    if (!entry) return undefined
    this.entries.delete(name)
    if (entry.lane) this.leaveLane(entry)
    else if (entry.gang.waitsFor.length === 0) this.later.take(entry)
    return entry
  }

  /** Puts back an entry that was removed, just as it was. */
  restore(entry: Entry): void {
    this.entries.set(gangKey(entry.gang.workload, entry.gang.replica), entry)
    this.enterLane(entry)
  }

  get(workload: WorkloadId, replica: number): Entry | undefined {
    return this.entries.get(gangKey(workload, replica))
  }

  /** Lets those into the line whose time has come; returns when the next one's does. */
  admit(now: TimeMs): TimeMs | undefined {
    let next = this.later.at(0)
    for (; next && next.gang.notBefore <= now; next = this.later.at(0)) {
      this.later.take(next)
      this.enterLane(next)
    }
    return next?.gang.notBefore
  }

  private enterLane(entry: Entry): void {
    const { priority } = entry.gang
    const path = this.ordering === 'fair' ? `${entry.queue.queue.id}\n${entry.gang.user}` : ''
    const name = `${priority}\n${path}\n${entry.classKey}`
    let lane = this.lanes.get(name)
    if (!lane) {
      const root = this.band(priority).root
      const group = this.ordering === 'fair' ? groupOf(root, entry.user, entry) : root
      lane = {
        name,
        priority,
        classKey: entry.classKey,
        group,
        entries: new OrderedList(inOrder),
        pass: 0,
        cursor: 0,
        bound: this.boundOf(entry.classKey),
      }
      this.lanes.set(name, lane)
      group.lanes.insert(lane)
    }
    lane.entries.insert(entry)
    entry.lane = lane
    countInLine(entry.queue, 1)
  }

  private leaveLane(entry: Entry): void {
    const lane = entry.lane!
    lane.entries.take(entry)
    entry.lane = undefined
    countInLine(entry.queue, -1)
    if (lane.entries.length > 0) return
    this.lanes.delete(lane.name)
    lane.group.lanes.take(lane)
    let group = lane.group
    while (group.parent && group.lanes.length === 0 && group.groups.length === 0) {
      group.parent.groups.take(group)
      group = group.parent
    }
    if (group.parent || group.lanes.length > 0 || group.groups.length > 0) return
    this.bands.splice(
      this.bands.findIndex((band) => band.root === group),
      1,
    )
  }

  private boundOf(classKey: string): TurnBound {
    let bound = this.bounds.get(classKey)
    if (!bound) {
      bound = { pass: 0, longestMs: Number.POSITIVE_INFINITY }
      this.bounds.set(classKey, bound)
    }
    return bound
  }

  private band(priority: number): Band {
    let at = 0
    while (at < this.bands.length && this.bands[at]!.priority > priority) at++
    const band = this.bands[at]
    if (band?.priority === priority) return band
    const root = newGroup(undefined, undefined, '')
    this.bands.splice(at, 0, { priority, root })
    return this.bands[at]!
  }
}

function countInLine(queue: QueueRecord, by: 1 | -1): void {
  for (let record: QueueRecord | undefined = queue; record; record = record.parent) record.inLine += by
}

/** Order within a lane, and of the heads of lanes in one group. */
export function inOrder(a: Entry, b: Entry): number {
  return (
    a.key - b.key ||
    a.gang.submittedAt - b.gang.submittedAt ||
    compareIds(a.gang.workload, b.gang.workload) ||
    a.gang.replica - b.gang.replica
  )
}

function groupOf(root: Group, usage: UsageRecord, entry: Entry): Group {
  const parent = usage.parent ? groupOf(root, usage.parent, entry) : root
  const name = usage === entry.user ? `@${entry.gang.user}` : (usage as QueueRecord).queue.id
  const found = parent.groups.at(parent.groups.placeOf({ name } as Group))
  if (found?.usage === usage) return found
  const group = newGroup(usage, parent, name)
  parent.groups.insert(group)
  return group
}

function newGroup(usage: UsageRecord | undefined, parent: Group | undefined, name: string): Group {
  const groups = new OrderedList<Group>(byName)
  const lanes = new OrderedList<Lane>(byName)
  return { usage, parent, name, groups, lanes, pass: 0, share: 0, belowGuarantee: false, done: false }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function byTime(a: Entry, b: Entry): number {
  return a.gang.notBefore - b.gang.notBefore || inOrder(a, b)
}
