import type { TimeMs } from '../base/index.ts'
import { formatDuration, HOUR_MS } from '../base/index.ts'
import { are, gpus } from './amounts.ts'
import { budgetFreedAt } from './budget.ts'
import type { Blocker } from './explanation.ts'
import { named, whenFreed } from './holders.ts'
import type { Occupant } from './holding.ts'
import type { Machine } from './machine.ts'
import { isPartOf, type QuotaBlock } from './quota.ts'
import type { Entry } from './waiting.ts'

/** What is said of a limit that the gang would break. */
export function quotaBlocker(
  machine: Machine,
  now: TimeMs,
  entry: Entry,
  block: QuotaBlock,
  gpuMilli: number,
): Blocker {
  if (block.kind === 'not-lent') return notLent(entry, block, gpuMilli)
  if (block.kind === 'budget') return budget(machine, now, block)
  return limit(machine, entry, block, gpuMilli)
}

function limit(
  machine: Machine,
  entry: Entry,
  block: QuotaBlock & { kind: 'queue-limit' | 'user-limit' },
  gpuMilli: number,
): Blocker {
  const { record, limitMilli, heldMilli } = block
  const { id } = record.queue
  const isUsers = block.kind === 'user-limit'
  const whose = isUsers ? `user ${entry.gang.user} in queue ${id}` : `queue ${id}`
  const available = Math.max(0, limitMilli - heldMilli)
  const numbers = { needed: gpuMilli / 1000, available: available / 1000, unit: 'GPUs' } as const
  if (gpuMilli > limitMilli)
    return {
      kind: 'quota',
      message: `It needs ${gpus(gpuMilli)}, and ${whose} may never hold more than ${gpus(limitMilli)}.`,
      ...numbers,
      holders: [],
    }
  const holding = liveOf(machine, ({ user }) =>
    isUsers ? user === entry.user : isPartOf(user.parent, record),
  )
  const left = available === 0 ? 'none is' : `${gpus(available)} ${are(available / 1000)}`
  return {
    kind: 'quota',
    message: `It needs ${gpus(gpuMilli)}; ${whose} holds ${gpus(heldMilli)} of at most ${gpus(limitMilli)}, so ${left} left.`,
    ...numbers,
    holders: named(holding),
    ...whenFreed(holding, gpuMilli - available),
  }
}

function notLent(
  { gang, queue }: Entry,
  { keptMilli, freeMilli }: QuotaBlock & { kind: 'not-lent' },
  gpuMilli: number,
): Blocker {
  const whose = gang.preemptible
    ? 'guaranteed to queues that do not lend'
    : 'guaranteed to other queues, which could not get them back since it may not be evicted'
  const kept =
    freeMilli === 0
      ? `no GPU is free, and the next ${gpus(keptMilli)} ${are(keptMilli / 1000)} ${whose}`
      : keptMilli >= freeMilli
        ? `all that is free (${gpus(freeMilli)}) is ${whose}`
        : `of the ${gpus(freeMilli)} that are free ${gpus(keptMilli)} ${are(keptMilli / 1000)} ${whose}`
  return {
    kind: 'quota',
    message: `It needs ${gpus(gpuMilli)} beyond the guarantee of queue ${queue.queue.id}; ${kept}.`,
    needed: gpuMilli / 1000,
    available: Math.max(0, freeMilli - keptMilli) / 1000,
    unit: 'GPUs',
    holders: [],
  }
}

function budget(
  machine: Machine,
  now: TimeMs,
  { record, needed, left }: QuotaBlock & { kind: 'budget' },
): Blocker {
  const { gpuHours, windowMs } = record.queue.budget!
  const { id } = record.queue
  const numbers = { needed: needed / HOUR_MS, available: left / HOUR_MS, unit: 'GPU-hours' } as const
  const needs = hours(Math.ceil(needed / TENTH))
  if (needed > gpuHours * HOUR_MS)
    return {
      kind: 'limit',
      message: `It needs ${needs} until its time limit, and queue ${id} may never use more than ${hours(gpuHours * 10)} in ${formatDuration(windowMs)}.`,
      ...numbers,
      holders: [],
    }
  const leftTenths = Math.floor(left / TENTH)
  const at = budgetFreedAt(record, needed - left, now)
  return {
    kind: 'limit',
    message: `It needs ${needs} until its time limit; of the ${hours(gpuHours * 10)} that queue ${id} may use in ${formatDuration(windowMs)}, ${hours(leftTenths)} ${are(leftTenths / 10)} left.`,
    ...numbers,
    holders: named(liveOf(machine, ({ user }) => isPartOf(user.parent, record))),
    ...(at !== undefined && { earliestEndAt: at }),
  }
}

const TENTH = HOUR_MS / 10

function hours(tenths: number): string {
  return tenths === 10 ? '1 GPU-hour' : `${tenths / 10} GPU-hours`
}

function liveOf({ live }: Machine, of: (occupant: Occupant) => boolean): Occupant[] {
  return [...live.values()].filter(of)
}
