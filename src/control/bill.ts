import type { TimeMs } from '../base/index.ts'
import { assert, compareIds, HOUR_MS } from '../base/index.ts'
import type { Prices, SpanCause, UsageSpan } from '../model/index.ts'
import { isBilled, isHeld, SPAN_CAUSES } from '../model/index.ts'
import type { Period, RestOfUsage, UsageGroup, UsageQuery, UsageSum } from './ports/index.ts'

/** A part of the asked time in which prices did not change. */
export interface PricedPeriod extends Period {
  readonly perGpuHour: Readonly<Record<string, number>>
}

/** GPU-milliseconds and money of one group. */
export interface BillLine {
  readonly key: string
  /** GPU-milliseconds that were held, of them billed, and not billed because the platform or other work cost them. */
  readonly held: number
  readonly billed: number
  readonly notBilled: number
  readonly byCause: Readonly<Record<SpanCause, number>>
  /** Of `held`, by attempts that have not ended: what is billed of it may still become less. */
  readonly open: number
  /** In the cluster's currency, to a millionth; GPUs without a price add nothing. */
  readonly amount: number
}

export interface BilledModel {
  readonly gpuModel: string
  readonly held: number
  readonly billed: number
  readonly amount: number
  /** Whether all of it had a price. */
  readonly isPriced: boolean
}

export interface BillSums {
  /** Most expensive first, then by what they held. */
  readonly lines: readonly BillLine[]
  /** How many lines `others` stands for. */
  readonly otherCount: number
  readonly others: BillLine
  readonly total: BillLine
  readonly models: readonly BilledModel[]
}

/** The time from `from` to `to`, cut wherever prices change. */
export function pricedPeriods(prices: Prices, from: TimeMs, to: TimeMs): readonly PricedPeriod[] {
  const cuts = prices.lists.map(({ since }) => since).filter((since) => since > from && since < to)
  const starts = [from, ...cuts]
  return starts
    .map((start, i) => ({
      from: start,
      to: starts[i + 1] ?? to,
      perGpuHour: prices.lists.findLast(({ since }) => since <= start)?.perGpuHour ?? {},
    }))
    .filter((period) => period.to > period.from)
}

/** What a GPU-hour of this model costs: by the longest name in the list that the model's begins with, without regard to case. */
export function priceOf(perGpuHour: PricedPeriod['perGpuHour'], gpuModel: string): number | undefined {
  const model = gpuModel.toLowerCase()
  let best: string | undefined
  for (const name of Object.keys(perGpuHour)) {
    if (model.startsWith(name.toLowerCase()) && name.length > (best?.length ?? -1)) best = name
  }
  return best === undefined ? undefined : perGpuHour[best]
}

/** The spans cut to the periods and added up, as a store does it for what has ended. */
export function sumSpans(spans: Iterable<UsageSpan>, query: UsageQuery): readonly UsageSum[] {
  const sums = new Map<string, UsageSum>()
  for (const span of spans) {
    if (!isAsked(span, query)) continue
    const key = keyOf(span, query.by)
    for (const [period, { from, to }] of query.periods.entries()) {
      const ms = Math.min(span.to, to) - Math.max(span.from, from)
      if (ms <= 0) continue
      const { gpuModel, cause } = span
      const place = JSON.stringify([period, key, gpuModel, cause])
      const gpuMs = (sums.get(place)?.gpuMs ?? 0) + (span.milliGpus * ms) / 1000
      sums.set(place, { period, key, gpuModel, cause, gpuMs })
    }
  }
  return [...sums.values()]
}

export const NO_REST: RestOfUsage = { sums: [], groupCount: 0 }

/**
 * The sums with their prices; `open` are those of what has not ended. At most `limit` lines, the others as one, and with them
 * the `rest` of what ended: groups that no other sum is of, none of which belongs among the lines.
 */
export function billOf(
  periods: readonly PricedPeriod[],
  ended: readonly UsageSum[],
  open: readonly UsageSum[],
  limit: number,
  rest = NO_REST,
): BillSums {
  const lines = new Map<string, Tally>()
  const models = new Map<string, Tally>()
  const others = new Tally('others')
  const total = new Tally('total')
  const add = (sum: UsageSum, isOpen: boolean, tally = tallyOf(lines, sum.key)) => {
    const period = periods[sum.period]
    assert(period !== undefined, `period ${sum.period}`)
    const price = isBilled(sum.cause) ? priceOf(period.perGpuHour, sum.gpuModel) : 0
    tally.add(sum, price, isOpen)
    if (isHeld(sum.cause)) tallyOf(models, sum.gpuModel).add(sum, price, isOpen)
    total.add(sum, price, isOpen)
  }
  for (const sum of ended) add(sum, false)
  for (const sum of open) add(sum, true)
  for (const sum of rest.sums) add(sum, false, others)
  const sorted = [...lines.values()].sort(compareCost)
  for (const tally of sorted.slice(limit)) others.merge(tally)
  return {
    lines: sorted.slice(0, limit).map((tally) => tally.line()),
    otherCount: Math.max(0, sorted.length - limit) + rest.groupCount,
    others: others.line(),
    total: total.line(),
    models: [...models.values()]
      .sort((a, b) => b.held - a.held || compareIds(a.key, b.key))
      .map((tally) => {
        const { key, held, billed, amount } = tally.line()
        return { gpuModel: key, held, billed, amount, isPriced: tally.isPriced }
      }),
  }
}

/** What is being added up of one group. */
class Tally {
  readonly key: string
  held = 0
  billed = 0
  open = 0
  amount = 0
  isPriced = true
  readonly byCause = Object.fromEntries(SPAN_CAUSES.map((cause) => [cause, 0])) as Record<SpanCause, number>

  constructor(key: string) {
    this.key = key
  }

  add({ cause, gpuMs }: UsageSum, price: number | undefined, isOpen: boolean): void {
    this.byCause[cause] += gpuMs
    if (!isHeld(cause)) return
    this.held += gpuMs
    if (isOpen) this.open += gpuMs
    if (!isBilled(cause)) return
    this.billed += gpuMs
    this.amount += (gpuMs / HOUR_MS) * (price ?? 0)
    if (price === undefined) this.isPriced = false
  }

  merge(other: Tally): void {
    this.held += other.held
    this.billed += other.billed
    this.open += other.open
    this.amount += other.amount
    for (const cause of SPAN_CAUSES) this.byCause[cause] += other.byCause[cause]
  }

  line(): BillLine {
    const { key, held, billed, open, byCause } = this
    const amount = millionths(this.amount) / 1e6
    return { key, held, billed, notBilled: held - billed, byCause: { ...byCause }, open, amount }
  }
}

/** Most expensive first, then by what they held, then by key; rounded, so that the order in which parts were added does not matter. */
function compareCost(a: Tally, b: Tally): number {
  return (
    millionths(b.amount) - millionths(a.amount) ||
    Math.round(b.held * 1000) - Math.round(a.held * 1000) ||
    compareIds(a.key, b.key)
  )
}

function millionths(amount: number): number {
  return Math.round(amount * 1e6)
}

function tallyOf(tallies: Map<string, Tally>, key: string): Tally {
  const tally = tallies.get(key) ?? new Tally(key)
  tallies.set(key, tally)
  return tally
}

function isAsked({ owner }: UsageSpan, { organisation, only }: UsageQuery): boolean {
  if (organisation !== undefined && owner.organisation !== organisation) return false
  return !only || owner.user === only.user || only.teams.includes(owner.team)
}

function keyOf({ workload, owner }: UsageSpan, by: UsageGroup): string {
  return by === 'workload' ? workload : owner[by]
}
