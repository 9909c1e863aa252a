import type { TimeMs } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
import type { BudgetSpan, QueueRecord, UsageRecord } from './holding.ts'

/**
 * GPU-milliseconds of the queue's budget that are gone at `now`: what was held in the window that ends now, and what
 * runs or was started until the time at which it is bound to have ended.
 */
export function budgetSpent(fleet: Fleet, record: QueueRecord, now: TimeMs): number {
  const { budget } = record.queue
  if (!budget) return 0
  const cached = record.budgetAt
  if (cached && cached.now === now && cached.changes === fleet.changes) return cached.spent
  const from = now - budget.windowMs
  let spent = 0
  for (const span of record.budgetSpans)
    spent += (span.gpuMilli / 1000) * Math.max(0, span.to - Math.max(span.from, from))
  for (const occupant of fleet.occupants) {
    if (occupant.gpuMilli === 0 || !isUnder(occupant.user, record)) continue
    const began = Math.max(occupant.startedAt, from)
    spent += (occupant.gpuMilli / 1000) * Math.max(0, Math.max(occupant.endsAt, now) - began)
  }
  record.budgetAt = { now, changes: fleet.changes, spent }
  return spent
}

/** Books a run that has ended for every budget above it and forgets what no window reaches any more. */
export function spendBudgets(leaf: QueueRecord, span: BudgetSpan): void {
  for (let record: QueueRecord | undefined = leaf; record; record = record.parent) {
    const { budget } = record.queue
    if (!budget) continue
    record.budgetAt = undefined
    record.budgetSpans.push(span)
    const from = span.to - budget.windowMs
    if (record.budgetSpans[0]!.to < from)
      record.budgetSpans = record.budgetSpans.filter(({ to }) => to >= from)
  }
}

/** When so many more GPU-milliseconds of the window that ends at `now` have fallen out of it, if that alone suffices. */
export function budgetFreedAt(record: QueueRecord, missing: number, now: TimeMs): TimeMs | undefined {
  const { windowMs } = record.queue.budget!
  let freed = 0
  for (const { from, to, gpuMilli } of [...record.budgetSpans].sort((a, b) => a.to - b.to)) {
    if (to <= now - windowMs) continue
    freed += (gpuMilli / 1000) * (to - Math.max(from, now - windowMs))
    // Sums in another order differ in their last digits.
    if (freed > missing - 1) return to + windowMs
  }
  return undefined
}

function isUnder(user: UsageRecord, record: QueueRecord): boolean {
  for (let at = user.parent; at; at = at.parent) if (at === record) return true
  return false
}
