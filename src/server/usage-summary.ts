import type { UsageSummary } from '../api/index.ts'
import type { Workload } from '../model/index.ts'
import { FINAL_WORKLOAD_STATES, maySee } from '../model/index.ts'
import type { CallContext } from './context.ts'

interface Question {
  readonly from: number
  readonly to: number
  readonly by: UsageSummary['by']
}

type Row = UsageSummary['rows'][number]

const PAGE = 1000
const NOTHING = { held: 0, billed: 0, lost: 0 }

/**
 * GPU time of the workloads that the caller may see and that were submitted in the window: what their ended
 * attempts held, what of it is billed, and what failures and evictions lost.
 */
export async function usageSummary(context: CallContext, question: Question): Promise<UsageSummary> {
  const rows = new Map<string, Row>()
  let total = NOTHING
  for await (const workload of workloadsIn(context, question)) {
    const key = keyOf(workload, question.by)
    const before = rows.get(key)
    const usage = add(before?.usage ?? NOTHING, workload.usage)
    const name = question.by === 'workload' ? { name: workload.spec.name } : {}
    rows.set(key, { key, workloads: (before?.workloads ?? 0) + 1, usage, ...name })
    total = add(total, workload.usage)
  }
  return { ...question, rows: [...rows.values()].sort((a, b) => b.usage.held - a.usage.held), total }
}

async function* workloadsIn(context: CallContext, { from, to }: Question): AsyncIterable<Workload> {
  const { ledger, store, caller } = context
  const isAsked = (workload: Workload) =>
    workload.submittedAt >= from && workload.submittedAt <= to && maySee(caller.user, workload.owner)
  yield* [...ledger.state.workloads.values()].filter(isAsked)
  const organisation = caller.user.role === 'operator' ? {} : { organisation: caller.user.organisation }
  let cursor: string | undefined
  do {
    const page = await store.workloads({
      ...organisation,
      states: FINAL_WORKLOAD_STATES,
      limit: PAGE,
      ...(cursor ? { cursor } : {}),
    })
    yield* page.items.filter(isAsked)
    // Pages come newest first: past the window's beginning nothing more can match.
    const last = page.items.at(-1)
    cursor = last && last.submittedAt >= from ? page.next : undefined
  } while (cursor)
}

function keyOf({ id, owner }: Workload, by: UsageSummary['by']): string {
  return by === 'workload' ? id : owner[by]
}

function add(a: Workload['usage'], b: Workload['usage']): Workload['usage'] {
  return { held: a.held + b.held, billed: a.billed + b.billed, lost: a.lost + b.lost }
}
