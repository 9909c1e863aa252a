import type { UsageQuery, UsageSum } from '../control/index.ts'
import { openSpans, sumSpans } from '../control/index.ts'
import type { UsageSpan } from '../model/index.ts'
import type { CallContext } from './context.ts'

const TURNS = 3

/**
 * Sums of what has ended, as `askStore` gives them, and of what has not, from the state. What ends while the store adds up
 * would be in both, so it is asked again, a few times at most: on a busy machine something always ends.
 */
export async function usageSums<Ended>(
  { ledger }: CallContext,
  query: UsageQuery,
  now: number,
  askStore: (open: readonly UsageSum[]) => Promise<Ended>,
): Promise<{ readonly ended: Ended; readonly open: readonly UsageSum[] }> {
  for (let turn = 1; ; turn++) {
    const live = openSpans(ledger.state, now)
    const open = sumSpans(live, query)
    const ended = await askStore(open)
    const isSame = placesOf(live) === placesOf(openSpans(ledger.state, now))
    if (isSame || turn === TURNS) return { ended, open }
  }
}

function placesOf(spans: readonly UsageSpan[]): string {
  return spans.map(({ workload, attempt = '' }) => `${workload} ${attempt}`).join()
}
