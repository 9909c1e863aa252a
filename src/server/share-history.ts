import type { ShareHistoryView } from '../api/index.ts'
import { DAY_MS, MINUTE_MS } from '../base/index.ts'
import type { UsageQuery } from '../control/index.ts'
import { isHeld, maySee } from '../model/index.ts'
import type { CallContext } from './context.ts'
import { ProblemError } from './problem-error.ts'
import { usageSums } from './usage-sums.ts'
import { organisationOfQueue } from './views.ts'

interface Question {
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly intervals: number
}

/** The mean number of GPUs that each queue held in each interval: of the ended from the store, of the live from the state. */
export async function shareHistory(context: CallContext, question: Question): Promise<ShareHistoryView> {
  const { ledger, store, clock, caller } = context
  const now = clock.now()
  const to = Math.min(question.to ?? now, now)
  const from = question.from ?? Math.max(0, to - DAY_MS)
  if (from >= to) {
    throw new ProblemError('invalid-request', 'The time ends before it begins.', {
      hint: '`from` must be before `to`, and before now.',
    })
  }
  const intervalMs = Math.max(MINUTE_MS, Math.ceil((to - from) / question.intervals))
  const periods = Array.from({ length: Math.ceil((to - from) / intervalMs) }, (_, i) => ({
    from: from + i * intervalMs,
    to: Math.min(to, from + (i + 1) * intervalMs),
  }))
  const organisation = caller.user.role === 'operator' ? {} : { organisation: caller.user.organisation }
  const query: UsageQuery = { periods, by: 'team', ...organisation }
  const { ended, open } = await usageSums(context, query, now, () => store.usage(query))

  const gpuMs = new Map<string, number[]>()
  for (const sum of [...ended, ...open]) {
    if (!isHeld(sum.cause)) continue
    for (const queue of withParents(sum.key)) {
      const held = gpuMs.get(queue) ?? periods.map(() => 0)
      gpuMs.set(queue, held)
      held[sum.period] = (held[sum.period] ?? 0) + sum.gpuMs
    }
  }
  const queues = [...ledger.state.queues.values()].flatMap(({ id: queue, guaranteedGpus }) => {
    const held = gpuMs.get(queue)
    if (!held || !maySee(caller.user, { organisation: organisationOfQueue(queue) as never })) return []
    const total = held.reduce((sum, ms) => sum + ms, 0)
    const heldGpus = periods.map((period, i) => (held[i] ?? 0) / (period.to - period.from))
    return { queue, guaranteedGpus, meanGpus: total / (to - from), heldGpus }
  })
  return {
    from,
    to,
    intervalMs,
    queues: queues.sort((a, b) => b.meanGpus - a.meanGpus || (a.queue < b.queue ? -1 : 1)),
  }
}

/** A team's queue, and its organisation's. */
function withParents(queue: string): readonly string[] {
  const organisation = organisationOfQueue(queue)
  return organisation === queue ? [queue] : [organisation, queue]
}
