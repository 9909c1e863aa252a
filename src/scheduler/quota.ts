import type { Queue } from '../model/index.ts'
import type { Machine } from './machine.ts'
import type { QueueRecord, UserRecord } from './queue-tree.ts'

/** The first limit that a gang of this size would break. */
export type QuotaBlock =
  | {
      readonly kind: 'queue-limit'
      readonly queue: Queue
      readonly limitMilli: number
      readonly heldMilli: number
    }
  | {
      readonly kind: 'user-limit'
      readonly queue: Queue
      readonly limitMilli: number
      readonly heldMilli: number
    }
  | {
      readonly kind: 'not-lent'
      readonly queue: Queue
      readonly keptMilli: number
      readonly freeMilli: number
    }

/** Every limit that `gpuMilli` more GPUs of this user would break, nearest queue first. */
export function quotaBlocks(
  machine: Machine,
  user: UserRecord,
  gpuMilli: number,
  preemptible = true,
): QuotaBlock[] {
  const blocks: QuotaBlock[] = []
  const { limitGpusPerUser } = user.parent.queue
  if (limitGpusPerUser !== undefined && user.heldMilli + gpuMilli > limitGpusPerUser * 1000)
    blocks.push({
      kind: 'user-limit',
      queue: user.parent.queue,
      limitMilli: limitGpusPerUser * 1000,
      heldMilli: user.heldMilli,
    })
  for (let record: QueueRecord | undefined = user.parent; record; record = record.parent) {
    const { limitGpus } = record.queue
    if (limitGpus !== undefined && record.heldMilli + gpuMilli > limitGpus * 1000)
      blocks.push({
        kind: 'queue-limit',
        queue: record.queue,
        limitMilli: limitGpus * 1000,
        heldMilli: record.heldMilli,
      })
  }
  const kept = keptFromOthers(machine, user.parent, preemptible)
  if (kept > 0 && !isWithinGuarantee(user.parent, gpuMilli)) {
    const free = machine.fleet.totalMilli - heldByRoots(machine)
    if (gpuMilli > free - kept)
      blocks.push({ kind: 'not-lent', queue: user.parent.queue, keptMilli: kept, freeMilli: free })
  }
  return blocks
}

/** Whether the queue or one of its parents is still within its guarantee with that much more. */
export function isWithinGuarantee(queue: QueueRecord, gpuMilli: number): boolean {
  for (let record: QueueRecord | undefined = queue; record; record = record.parent) {
    const { guaranteedGpus } = record.queue
    if (guaranteedGpus > 0 && record.heldMilli + gpuMilli <= guaranteedGpus * 1000) return true
  }
  return false
}

/** Idle guarantees of other queues that do not lend; all idle guarantees for what could not be taken back again (S8). */
function keptFromOthers(machine: Machine, queue: QueueRecord, preemptible: boolean): number {
  let kept = 0
  for (const record of machine.queues.guaranteed) {
    if ((preemptible && record.queue.lendable) || isSelfOrParent(record, queue)) continue
    kept += Math.max(0, record.queue.guaranteedGpus * 1000 - record.heldMilli)
  }
  return kept
}

function isSelfOrParent(record: QueueRecord, of: QueueRecord): boolean {
  for (let at: QueueRecord | undefined = of; at; at = at.parent) if (at === record) return true
  return false
}

function heldByRoots(machine: Machine): number {
  let held = 0
  for (const record of machine.queues.records.values()) if (!record.parent) held += record.heldMilli
  return held
}
