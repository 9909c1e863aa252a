import type { TimeMs } from '../base/index.ts'
import { HOUR_MS } from '../base/index.ts'
import { budgetSpent } from './budget.ts'
import type { QueuedGang } from './gang.ts'
import type { Occupant, QueueRecord, UserRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import type { RequestClass } from './request-class.ts'

/** A limit that a gang would break. */
export type QuotaBlock =
  | {
      readonly kind: 'queue-limit' | 'user-limit'
      readonly record: QueueRecord
      readonly limitMilli: number
      readonly heldMilli: number
    }
  | {
      readonly kind: 'not-lent'
      readonly keptMilli: number
      readonly freeMilli: number
    }
  | {
      readonly kind: 'budget'
      readonly record: QueueRecord
      /** GPU-milliseconds. */
      readonly needed: number
      readonly left: number
    }

/** Every limit that the gang would break with `gpuMilli` GPUs from `now`, nearest queue first. */
export function quotaBlocks(machine: Machine, entry: Claim, gpuMilli: number, now: TimeMs): QuotaBlock[] {
  const { user, gang } = entry
  const blocks: QuotaBlock[] = []
  const { limitGpusPerUser } = user.parent.queue
  if (limitGpusPerUser !== undefined && user.heldMilli + gpuMilli > limitGpusPerUser * 1000)
    blocks.push({
      kind: 'user-limit',
      record: user.parent,
      limitMilli: limitGpusPerUser * 1000,
      heldMilli: user.heldMilli,
    })
  for (let record: QueueRecord | undefined = user.parent; record; record = record.parent) {
    const { limitGpus, budget } = record.queue
    if (limitGpus !== undefined && record.heldMilli + gpuMilli > limitGpus * 1000)
      blocks.push({
        kind: 'queue-limit',
        record,
        limitMilli: limitGpus * 1000,
        heldMilli: record.heldMilli,
      })
    if (!budget) continue
    const needed = (gpuMilli / 1000) * machine.boundMs(gang)
    const left = budget.gpuHours * HOUR_MS - budgetSpent(machine.fleet, record, now)
    if (needed > left) blocks.push({ kind: 'budget', record, needed, left: Math.max(0, left) })
  }
  if (!isWithinGuarantee(machine, user.parent, gpuMilli)) {
    const kept = keptFromOthers(machine, user.parent, gang.preemptible)
    // Less than nothing where nodes went down under what is held.
    const free = Math.max(0, machine.fleet.totalMilli - machine.queues.heldMilli)
    if (kept > 0 && gpuMilli > free - kept)
      blocks.push({ kind: 'not-lent', keptMilli: kept, freeMilli: free })
  }
  return blocks
}

/** The request with those of its options that break no limit now: whole nodes of one class may have more GPUs than of another. Undefined where none is left. */
export function withinLimits(
  machine: Machine,
  claim: Claim,
  request: RequestClass,
  now: TimeMs,
  counts?: (block: QuotaBlock) => boolean,
): RequestClass | undefined {
  const { options, amountsDiffer } = request
  if (!amountsDiffer)
    return isWithinLimits(machine, claim, options[0]!.gpuMilli, now, counts) ? request : undefined
  const within = options.filter(({ gpuMilli }) => isWithinLimits(machine, claim, gpuMilli, now, counts))
  return within.length === 0 ? undefined : machine.fleet.withOptions(request, within)
}

function isWithinLimits(
  machine: Machine,
  claim: Claim,
  gpuMilli: number,
  now: TimeMs,
  counts?: (block: QuotaBlock) => boolean,
): boolean {
  const blocks = quotaBlocks(machine, claim, gpuMilli, now)
  return counts ? !blocks.some(counts) : blocks.length === 0
}

/** Who asks: a gang in line. */
export interface Claim {
  readonly gang: QueuedGang
  readonly user: UserRecord
}

/** Whether the queue or one of its parents is still within its guarantee with that much more. */
export function isWithinGuarantee(machine: Machine, queue: QueueRecord, gpuMilli: number): boolean {
  return claimOf(machine, queue, gpuMilli) !== undefined
}

/** By whose guarantee the queue has a claim to that much more: its own or that of the nearest parent. */
export function claimOf({ queues }: Machine, queue: QueueRecord, gpuMilli: number): QueueRecord | undefined {
  for (let record: QueueRecord | undefined = queue; record; record = record.parent) {
    const guaranteed = queues.guaranteedMilli(record)
    if (guaranteed > 0 && record.heldMilli + gpuMilli <= guaranteed) return record
  }
  return undefined
}

/**
 * Whether the queue stands outside of `lender` and, in all of the tree that it does not share with it, holds more than it is
 * guaranteed; given `gpuMilli`, whether it still would hold as much without these.
 */
export function isBorrowing(
  { queues }: Machine,
  queue: QueueRecord,
  lender: QueueRecord,
  gpuMilli = 1,
): boolean {
  if (isPartOf(queue, lender)) return false
  let isApart = false
  for (let record: QueueRecord | undefined = queue; record; record = record.parent) {
    if (isPartOf(lender, record)) break
    isApart = true
    if (record.heldMilli - gpuMilli < queues.guaranteedMilli(record)) return false
  }
  return isApart
}

/** Whether some limit counts what both of them hold. */
export function shareLimit(a: UserRecord, b: UserRecord): boolean {
  if (a === b && a.parent.queue.limitGpusPerUser !== undefined) return true
  for (let record: QueueRecord | undefined = a.parent; record; record = record.parent)
    if (record.queue.limitGpus !== undefined && isPartOf(b.parent, record)) return true
  return false
}

/** Whether the gang would break a limit beside these, whatever else is held for others. */
export function isOverLimit(standing: Iterable<Occupant>, { user }: Claim, gpuMilli: number): boolean {
  const limits: { readonly milli: number; readonly counts: (other: UserRecord) => boolean }[] = []
  const { limitGpusPerUser } = user.parent.queue
  if (limitGpusPerUser !== undefined)
    limits.push({ milli: limitGpusPerUser * 1000, counts: (other) => other === user })
  for (let record: QueueRecord | undefined = user.parent; record; record = record.parent) {
    const whole = record
    if (whole.queue.limitGpus !== undefined)
      limits.push({ milli: whole.queue.limitGpus * 1000, counts: (other) => isPartOf(other.parent, whole) })
  }
  if (limits.length === 0) return false
  const occupants = [...standing]
  return limits.some(({ milli, counts }) => {
    let held = gpuMilli
    for (const occupant of occupants) if (counts(occupant.user)) held += occupant.gpuMilli
    return held > milli
  })
}

/** Whether the queue is `whole` or stands somewhere below it. */
export function isPartOf(queue: QueueRecord, whole: QueueRecord): boolean {
  for (let record: QueueRecord | undefined = queue; record; record = record.parent)
    if (record === whole) return true
  return false
}

/**
 * Idle guarantees of other queues that do not lend; all idle guarantees for what could not be taken back again (S8).
 * What is kept for a queue is part of what is kept for those above it, and counts once.
 */
function keptFromOthers({ queues }: Machine, queue: QueueRecord, preemptible: boolean): number {
  const { guaranteedUpwards } = queues
  for (const guaranteed of guaranteedUpwards) guaranteed.below = 0
  let kept = 0
  for (const { record, parentAt, below } of guaranteedUpwards) {
    if (!isKeptFrom(queue, preemptible, record)) continue
    const own = Math.max(0, queues.guaranteedMilli(record) - record.heldMilli)
    const parent = guaranteedUpwards[parentAt]
    if (parent && isKeptFrom(queue, preemptible, parent.record)) parent.below += Math.max(own, below)
    else kept += Math.max(own, below)
  }
  return kept
}

function isKeptFrom(queue: QueueRecord, preemptible: boolean, record: QueueRecord): boolean {
  return !(preemptible && record.queue.lendable) && !isPartOf(queue, record)
}

/** How many queues are above it. */
export function depthOf(queue: QueueRecord): number {
  return queue.parent ? depthOf(queue.parent) + 1 : 0
}
