import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OrganisationId, UserId, WorkloadId } from '../base/index.ts'
import { HOUR_MS, id } from '../base/index.ts'
import type { UsageSpan } from '../model/index.ts'
import { isBilled, isHeld, SPAN_CAUSES, teamId, withPriceList } from '../model/index.ts'
import { billOf, pricedPeriods, priceOf, sumSpans } from './bill.ts'

const END = 10 * HOUR_MS
const moment = fc.nat(END)
const spans = fc.array(
  fc
    .record({
      number: fc.integer({ min: 1, max: 5 }),
      gpuModel: fc.constantFrom('H100-80GB', 'A100-40GB', ''),
      milliGpus: fc.integer({ min: 1, max: 64_000 }),
      cause: fc.constantFrom(...SPAN_CAUSES),
      ends: fc.tuple(moment, moment),
    })
    .map(
      ({ number, ends: [a, b], ...span }): UsageSpan => ({
        ...span,
        workload: id<WorkloadId>(`w${number}`),
        owner: {
          organisation: id<OrganisationId>('acme'),
          team: teamId('acme', `team-${number % 2}`),
          user: id<UserId>(`user-${number % 3}`),
        },
        from: Math.min(a, b),
        to: Math.max(a, b),
      }),
    ),
  { maxLength: 30 },
)
const prices = fc
  .array(fc.tuple(moment, fc.record({ H100: fc.nat(5), 'A100-40': fc.nat(5) })), { maxLength: 3 })
  .map((lists) =>
    lists.reduce((all, [since, perGpuHour]) => withPriceList(all, 'EUR', { since, perGpuHour }), {
      currency: 'EUR',
      lists: [],
    } as Parameters<typeof withPriceList>[0]),
  )

describe('the bill', () => {
  it('[C25] [C21] of a time is the sum of the bills of its parts', () => {
    fc.assert(
      fc.property(spans, prices, moment, (all, list, cut) => {
        const bill = (from: number, to: number) => {
          const periods = pricedPeriods(list, from, to)
          return billOf(periods, sumSpans(all, { periods, by: 'team' }), [], 100).total
        }
        const [whole, before, after] = [bill(0, END), bill(0, cut), bill(cut, END)]
        expect(before.held + after.held).toBeCloseTo(whole.held, 3)
        expect(before.amount + after.amount).toBeCloseTo(whole.amount, 5)
        for (const cause of SPAN_CAUSES) {
          expect(before.byCause[cause] + after.byCause[cause]).toBeCloseTo(whole.byCause[cause], 3)
        }
      }),
    )
  })

  it('[S7] [C21] costs what each billed millisecond costs at its own time, and nothing else', () => {
    fc.assert(
      fc.property(spans, prices, fc.constantFrom('team', 'user', 'workload' as const), (all, list, by) => {
        const periods = pricedPeriods(list, 0, END)
        const { total, lines } = billOf(periods, sumSpans(all, { periods, by }), [], 1_000)
        let amount = 0
        let held = 0
        for (const span of all) {
          if (isHeld(span.cause)) held += (span.milliGpus * (span.to - span.from)) / 1000
          if (!isBilled(span.cause)) continue
          const cuts = [span.from, ...list.lists.map(({ since }) => since), span.to]
            .filter((at) => at >= span.from && at <= span.to)
            .sort((a, b) => a - b)
          for (const [i, from] of cuts.entries()) {
            const current = list.lists.filter(({ since }) => since <= from).at(-1)?.perGpuHour ?? {}
            const hours = ((cuts[i + 1] ?? from) - from) / HOUR_MS
            amount += (span.milliGpus / 1000) * hours * (priceOf(current, span.gpuModel) ?? 0)
          }
        }
        expect(total.amount).toBeCloseTo(amount, 4)
        expect(total.held).toBeCloseTo(held, 3)
        expect(lines.reduce((sum, line) => sum + line.amount, 0)).toBeCloseTo(total.amount, 3)
      }),
    )
  })

  it('gives the lines beyond the limit as one', () => {
    fc.assert(
      fc.property(spans, fc.nat(4), (all, limit) => {
        const periods = pricedPeriods({ currency: '', lists: [] }, 0, END)
        const sums = sumSpans(all, { periods, by: 'workload' })
        const short = billOf(periods, sums, [], limit)
        const long = billOf(periods, sums, [], 1_000)
        expect(short.lines).toEqual(long.lines.slice(0, limit))
        expect(short.otherCount).toBe(Math.max(0, long.lines.length - limit))
        const shown = short.lines.reduce((sum, { held }) => sum + held, 0)
        expect(shown + short.others.held).toBeCloseTo(long.total.held, 3)
      }),
    )
  })
})

it('[C21] the longest name that a model begins with has its price', () => {
  const list = { h100: 2, 'H100-NVL': 3, A100: 1 }
  expect(priceOf(list, 'H100-80GB')).toBe(2)
  expect(priceOf(list, 'H100-NVL-94GB')).toBe(3)
  expect(priceOf(list, 'B200')).toBeUndefined()
})
