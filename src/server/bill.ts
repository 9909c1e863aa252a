import type { Bill, PricesView } from '../api/index.ts'
import type { WorkloadId } from '../base/index.ts'
import { DAY_MS, HOUR_MS, id, present } from '../base/index.ts'
import type { TopUsage, UsageQuery } from '../control/index.ts'
import { billOf, NO_REST, pricedPeriods, priceOf } from '../control/index.ts'
import type { User } from '../model/index.ts'
import { SPAN_CAUSES } from '../model/index.ts'
import type { CallContext } from './context.ts'
import { csv } from './csv.ts'
import { ProblemError } from './problem-error.ts'
import { usageSums } from './usage-sums.ts'

interface Question {
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly by: Bill['by']
  /** Every row when left out. */
  readonly limit?: number
}

const DEFAULT_PERIOD_MS = 30 * DAY_MS

/** The bill of what the caller may see: the ended from the store's sums, the live from the state. */
export async function billFor(context: CallContext, question: Question): Promise<Bill> {
  const { ledger, store, clock, caller } = context
  const { prices } = ledger.state
  const now = clock.now()
  const { by, limit, to = now } = question
  const from = question.from ?? Math.max(0, to - DEFAULT_PERIOD_MS)
  if (from >= to) {
    throw new ProblemError('invalid-request', 'The period ends before it begins.', {
      hint: '`from` must be before `to`.',
    })
  }
  const periods = pricedPeriods(prices, from, to)
  const priceIn = (period: number, gpuModel: string) =>
    priceOf(present(periods[period], 'period', period).perGpuHour, gpuModel) ?? 0
  const query: UsageQuery = { periods: periods.map(plain), by, ...scopeOf(caller.user) }
  const { ended, open } = await usageSums(
    context,
    query,
    Math.min(now, to),
    async (open): Promise<TopUsage> => {
      // Only workloads are so many that it is worth ranking them in the store.
      if (by !== 'workload' || limit === undefined) return { sums: await store.usage(query), rest: NO_REST }
      const keys = [...new Set(open.map(({ key }) => key))]
      return store.topUsage({ ...query, by, limit, keys, priceOf: priceIn })
    },
  )
  const { lines, ...sums } = billOf(periods, ended.sums, open, limit ?? Infinity, ended.rest)
  const names =
    by === 'workload'
      ? await namesOf(
          context,
          lines.map(({ key }) => key),
        )
      : new Map<string, string>()
  const rows = lines.map((line) => {
    const name = names.get(line.key)
    return name === undefined ? line : { ...line, name }
  })
  return { from, to, by, rows, ...sums, ...(prices.currency === '' ? {} : { currency: prices.currency }) }
}

/** The bill with every row, in GPU-hours; the last line is the total. */
export async function billCsv(context: CallContext, question: Omit<Question, 'limit'>): Promise<string> {
  const { rows, total, currency = '', by } = await billFor(context, question)
  const hours = (gpuMs: number) => Math.round((gpuMs / HOUR_MS) * 1e6) / 1e6
  const head = [by, 'name', 'amount', 'currency', 'held', 'billed', 'not billed', 'not ended', ...SPAN_CAUSES]
  const lines = [...rows, total].map(({ key, name = '', amount, held, billed, notBilled, open, byCause }) => [
    key,
    name,
    amount,
    currency,
    ...[held, billed, notBilled, open, ...SPAN_CAUSES.map((cause) => byCause[cause])].map(hours),
  ])
  return csv([head, ...lines])
}

export function pricesView({ ledger, clock }: CallContext): PricesView {
  const { prices, nodes } = ledger.state
  const now = clock.now()
  const list = prices.lists.findLast(({ since }) => since <= now)
  const models = new Set([...nodes.values()].map(({ gpuModel }) => gpuModel))
  const gpuModels = [...models].sort().map((gpuModel) => {
    const perGpuHour = priceOf(list?.perGpuHour ?? {}, gpuModel)
    return perGpuHour === undefined ? { gpuModel } : { gpuModel, perGpuHour }
  })
  return { ...prices, lists: [...prices.lists], gpuModels }
}

/** Members and viewers are shown what they and their teams cost, admins their organisation, operators all (S9). */
function scopeOf(user: User): Pick<UsageQuery, 'organisation' | 'only'> {
  if (user.role === 'operator') return {}
  if (user.role === 'admin') return { organisation: user.organisation }
  return { organisation: user.organisation, only: { teams: user.teams, user: user.id } }
}

async function namesOf(
  { ledger, store }: CallContext,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const missing: string[] = []
  for (const key of keys) {
    const workload = ledger.state.workloads.get(id<WorkloadId>(key))
    if (workload) names.set(key, workload.spec.name)
    else missing.push(key)
  }
  if (missing.length === 0) return names
  for (const [key, name] of await store.names(missing)) names.set(key, name)
  return names
}

function plain({ from, to }: { readonly from: number; readonly to: number }) {
  return { from, to }
}
