import type { QueueId, TimeMs, UserId } from '../base/index.ts'
import { assert, compareIds } from '../base/index.ts'
import type { Queue } from '../model/index.ts'
import { openQueue } from '../model/index.ts'
import { DecayClock } from './decay-clock.ts'
import type { BudgetSpan, QueueRecord, UsageRecord, UserRecord } from './holding.ts'

/** Where the decay of past use counts from. */
export interface ClockRow {
  readonly kind: 'clock'
  readonly origin: TimeMs
  readonly epoch: TimeMs
}

/** Past use of a queue or of one user of it: decayed GPU-seconds by GPU model, and what its budget still counts. */
export interface UsageRow {
  readonly kind: 'usage'
  readonly queue: QueueId
  /** Absent for the queue as a whole. */
  readonly user?: UserId
  readonly ended: Readonly<Record<string, number>>
  readonly budgetSpans?: readonly BudgetSpan[]
}

/** A queue that is guaranteed something. */
export interface GuaranteedRecord {
  readonly record: QueueRecord
  /** Where its parent stands in the same list; -1 where that is guaranteed nothing. */
  readonly parentAt: number
  /** Scratch of one sum over the tree. */
  below: number
}

/** The queues with what they use. Queues that nobody described are open ones under the root. */
export class QueueTree {
  readonly records = new Map<QueueId, QueueRecord>()
  readonly clock: DecayClock
  /** Names of GPU models in the order in which they were first seen; never reordered. */
  readonly models: string[] = []
  /** Thousandths of a GPU in the smallest domain of each level; kept by the fleet. */
  domainMilli: ReadonlyMap<string, number> = new Map()
  private readonly described = new Map<QueueId, Queue>()
  /** Thousandths of a GPU held in all queues. */
  heldMilli = 0
  /** Records whose past use is not what it was when changes were last taken. */
  private readonly changed = new Set<QueueRecord | UserRecord>()
  private isClockChanged = false
  private guaranteedRecords: readonly QueueRecord[] | undefined
  private guaranteedTree: readonly GuaranteedRecord[] | undefined

  constructor(halfLifeMs: number) {
    this.clock = new DecayClock(halfLifeMs)
  }

  set(queue: Queue): void {
    this.described.set(queue.id, queue)
    this.forgetGuaranteed()
    const record = this.records.get(queue.id)
    if (record && record.parent?.queue.id === queue.parent) {
      this.replace(record, queue)
      return
    }
    assert(!record || record.heldMilli === 0, `queue ${queue.id} is moved while it holds GPUs`)
    if (record) this.forget(record)
    this.of(queue.id)
  }

  remove(id: QueueId): void {
    const record = this.records.get(id)
    assert(!record || record.heldMilli === 0, `queue ${id} is removed while it holds GPUs`)
    this.described.delete(id)
    this.forgetGuaranteed()
    if (record) this.forget(record)
  }

  of(id: QueueId): QueueRecord {
    let record = this.records.get(id)
    if (!record) {
      const queue = this.described.get(id) ?? openQueue(id)
      const parent = queue.parent === undefined ? undefined : this.of(queue.parent)
      record = {
        ...emptyUsage(queue.weight),
        queue,
        parent,
        users: new Map(),
        live: new Map(),
        inLine: 0,
        budgetSpans: [],
        budgetAt: undefined,
      }
      this.records.set(id, record)
      this.forgetGuaranteed()
    }
    return record
  }

  user(queue: QueueRecord, user: UserId): UserRecord {
    let record = queue.users.get(user)
    if (!record) {
      record = { ...emptyUsage(1), user, parent: queue }
      queue.users.set(user, record)
    }
    return record
  }

  /** Thousandths of a GPU that the queue is guaranteed, whole domains included. */
  guaranteedMilli({ queue: { guaranteedGpus, guaranteedDomains } }: QueueRecord): number {
    const inDomains = guaranteedDomains
      ? guaranteedDomains.count * (this.domainMilli.get(guaranteedDomains.level) ?? 0)
      : 0
    return guaranteedGpus * 1000 + inDomains
  }

  /** Queues that are guaranteed something, by id. */
  get guaranteed(): readonly QueueRecord[] {
    this.guaranteedRecords ??= [...this.records.values()]
      .filter(({ queue }) => queue.guaranteedGpus > 0 || queue.guaranteedDomains !== undefined)
      .sort((a, b) => compareIds(a.queue.id, b.queue.id))
    return this.guaranteedRecords
  }

  /** The same, the deepest first. */
  get guaranteedUpwards(): readonly GuaranteedRecord[] {
    if (!this.guaranteedTree) {
      const upwards = [...this.guaranteed].sort((a, b) => depthOf(b) - depthOf(a))
      this.guaranteedTree = upwards.map((record) => ({
        record,
        parentAt: record.parent ? upwards.indexOf(record.parent) : -1,
        below: 0,
      }))
    }
    return this.guaranteedTree
  }

  modelIndex(model: string): number {
    const at = this.models.indexOf(model)
    return at >= 0 ? at : this.models.push(model) - 1
  }

  /** Adds (or with a negative amount takes back) what is held by a user, their queue and its parents. */
  hold(user: UserRecord, model: number, milli: number, startedAt: TimeMs): void {
    const since = milli * this.clock.seconds(startedAt)
    this.heldMilli += milli
    for (let record: UsageRecord | undefined = user; record; record = record.parent) {
      record.heldMilli += milli
      record.held[model] = (record.held[model] ?? 0) + milli
      record.heldSince[model] = (record.heldSince[model] ?? 0) + since
    }
  }

  /** Books a span that has ended. */
  charge(user: UserRecord, model: number, milli: number, from: TimeMs, to: TimeMs): void {
    if (!this.clock.anchored || this.clock.needsRebase(to)) this.rebase(to)
    const gpuSeconds = (milli / 1000) * Math.max(0, (to - from) / 1000) * this.clock.scale(to)
    for (let record: QueueRecord | UserRecord | undefined = user; record; record = record.parent) {
      record.ended[model] = (record.ended[model] ?? 0) + gpuSeconds
      this.changed.add(record)
    }
  }

  /** Share of the machine by the resource it uses most of, in seconds of the whole machine over its weight. */
  share(record: UsageRecord, now: TimeMs, capacityMilli: readonly number[], entryPenaltyMs: number): number {
    const scale = this.clock.scale(now)
    const at = this.clock.seconds(now) + entryPenaltyMs / 1000
    let most = 0
    for (let m = 0; m < this.models.length; m++) {
      const held = record.held[m] ?? 0
      const live = held === 0 ? 0 : (held * at - record.heldSince[m]!) / 1000
      const used = (record.ended[m] ?? 0) + live * scale
      if (used <= 0) continue
      const share = used / Math.max(1, capacityMilli[m] ?? 0)
      if (share > most) most = share
    }
    return most / record.weight
  }

  setHalfLife(halfLifeMs: number, now: TimeMs): void {
    if (halfLifeMs === this.clock.halfLifeMs) return
    // Before the first charge nothing decays, and the clock is not set by what changes nothing (S6).
    if (this.clock.anchored) this.rebase(now)
    this.clock.setHalfLife(halfLifeMs)
  }

  /** What is remembered of past use. */
  rows(): Map<string, ClockRow | UsageRow> {
    const rows = new Map<string, ClockRow | UsageRow>()
    const clock = this.clockRow()
    if (clock) rows.set('clock', clock)
    for (const record of this.allRecords()) {
      const row = this.rowOf(record)
      if (row) rows.set(nameOf(record), row)
    }
    return rows
  }

  /** Rows that have changed since changes were last taken. */
  takeChanges(): Map<string, ClockRow | UsageRow | undefined> {
    const rows = new Map<string, ClockRow | UsageRow | undefined>()
    if (this.isClockChanged) rows.set('clock', this.clockRow())
    for (const record of this.changed) rows.set(nameOf(record), this.rowOf(record))
    this.isClockChanged = false
    this.changed.clear()
    return rows
  }

  load(row: ClockRow | UsageRow): void {
    if (row.kind === 'clock') {
      this.clock.restore({ ...row, anchored: true, started: true })
      return
    }
    const queue = this.of(row.queue)
    const record = row.user === undefined ? queue : this.user(queue, row.user)
    for (const [model, gpuSeconds] of Object.entries(row.ended))
      record.ended[this.modelIndex(model)] = gpuSeconds
    if (row.budgetSpans) queue.budgetSpans = [...row.budgetSpans]
  }

  /** Takes past use back to what it is now; for trials that book ends. */
  rememberEnded(now: TimeMs): () => void {
    this.clock.seconds(now)
    const clock = this.clock.state()
    const remembered = this.allRecords().map((record) => ({ record, ended: [...record.ended] }))
    return () => {
      const shiftSeconds = (this.clock.origin - clock.origin) / 1000
      this.clock.restore(clock)
      for (const { record, ended } of remembered) {
        record.ended.splice(0, record.ended.length, ...ended)
        for (let m = 0; m < record.held.length; m++)
          if (record.held[m]) record.heldSince[m]! += record.held[m]! * shiftSeconds
      }
    }
  }

  clone(): QueueTree {
    const copy = new QueueTree(this.clock.halfLifeMs)
    copy.clock.restore(this.clock.state())
    copy.models.push(...this.models)
    copy.domainMilli = this.domainMilli
    copy.heldMilli = this.heldMilli
    for (const [id, queue] of this.described) copy.described.set(id, queue)
    for (const record of this.records.values()) {
      const queue = copy.of(record.queue.id)
      copyUsage(record, queue)
      queue.budgetSpans = [...record.budgetSpans]
      for (const user of record.users.values()) copyUsage(user, copy.user(queue, user.user))
    }
    return copy
  }

  private clockRow(): ClockRow | undefined {
    const { anchored, origin, epoch } = this.clock
    return anchored ? { kind: 'clock', origin, epoch } : undefined
  }

  /** As what has that name stands now; undefined where there is nothing to remember. */
  private rowOf(record: QueueRecord | UserRecord): UsageRow | undefined {
    const owner = ownerOf(record)
    const queue = this.records.get(owner.queue)
    const now = owner.user === undefined ? queue : queue?.users.get(owner.user)
    if (!now) return undefined
    const ended: Record<string, number> = {}
    now.ended.forEach((gpuSeconds, m) => {
      if (gpuSeconds) ended[this.models[m]!] = gpuSeconds
    })
    const budgetSpans = 'budgetSpans' in now && now.budgetSpans.length > 0 ? [...now.budgetSpans] : undefined
    if (!budgetSpans && Object.keys(ended).length === 0) return undefined
    return { kind: 'usage', ...owner, ended, ...(budgetSpans && { budgetSpans }) }
  }

  /** With its past use and that of its users. */
  private forget(record: QueueRecord): void {
    this.records.delete(record.queue.id)
    for (const one of [record, ...record.users.values()]) this.changed.add(one)
  }

  private forgetGuaranteed(): void {
    this.guaranteedRecords = undefined
    this.guaranteedTree = undefined
  }

  private replace(record: QueueRecord, queue: Queue): void {
    Object.assign(record, { queue, weight: queue.weight })
  }

  private allRecords(): (QueueRecord | UserRecord)[] {
    return [...this.records.values()].flatMap((record) => [record, ...record.users.values()])
  }

  private rebase(now: TimeMs): void {
    const { factor, shiftSeconds } = this.clock.rebase(now)
    this.isClockChanged = true
    for (const record of this.allRecords()) {
      this.changed.add(record)
      for (let m = 0; m < this.models.length; m++) {
        if (record.ended[m]) record.ended[m]! *= factor
        if (record.held[m]) record.heldSince[m]! -= record.held[m]! * shiftSeconds
      }
    }
  }
}

function depthOf(queue: QueueRecord): number {
  return queue.parent ? depthOf(queue.parent) + 1 : 0
}

function ownerOf(record: QueueRecord | UserRecord): Pick<UsageRow, 'queue' | 'user'> {
  return 'queue' in record ? { queue: record.queue.id } : { queue: record.parent.queue.id, user: record.user }
}

function nameOf(record: QueueRecord | UserRecord): string {
  const { queue, user } = ownerOf(record)
  return user === undefined ? `usage ${queue}` : `usage ${queue} ${user}`
}

function emptyUsage(weight: number) {
  return { weight, heldMilli: 0, held: [], heldSince: [], ended: [] }
}

function copyUsage(from: UsageRecord, to: UsageRecord): void {
  to.heldMilli = from.heldMilli
  to.held.push(...from.held)
  to.heldSince.push(...from.heldSince)
  to.ended.push(...from.ended)
}
