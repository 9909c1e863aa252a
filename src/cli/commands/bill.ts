import type { Bill, PricesView } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderTable } from '../render/table.ts'
import { clockTime, gpuHours } from '../render/values.ts'
import { clientAndPeriod, groupOf, momentOf } from './period.ts'

export interface BillOptions {
  readonly by?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: number
  readonly csv?: true
}

export interface PriceOptions {
  readonly currency?: string
  readonly since?: string
}

const CAUSES = [
  ['platform-failure', 'lost to platform failures', 'not billed'],
  ['preempted', 'lost to other work', 'not billed'],
  ['restart', 'starting again after that', 'not billed'],
  ['user-failure', 'run for nothing by failed programs', 'billed'],
  ['start', 'starting', 'billed'],
  ['queue', 'waited for in the queue', 'not held'],
] as const

/** GPU-hours and money of a period by whose they were, and what was wasted. */
export async function showBill(cli: Cli, options: BillOptions): Promise<void> {
  const by = groupOf(options.by)
  const { client, period } = await clientAndPeriod(cli, options)
  if (options.csv) {
    cli.io.out(await client.exportBill({ by, ...period }))
    return
  }
  const bill = await client.getBill({ by, ...period, limit: options.limit ?? 50 })
  cli.print(bill, () => billText(cli, bill))
}

export async function showPrices(cli: Cli): Promise<void> {
  const prices = await (await cli.client()).getPrices()
  cli.print(prices, () => pricesText(cli, prices))
}

/** `H100=2.5` pairs, from a time on. */
export async function setPrices(cli: Cli, pairs: readonly string[], options: PriceOptions): Promise<void> {
  const perGpuHour = Object.fromEntries(pairs.map(priceOf))
  const since = options.since === 'ever' ? () => 0 : momentOf('--since', options.since)
  const client = await cli.client()
  const before = await client.getPrices()
  const currency = options.currency?.toUpperCase() ?? before.currency
  if (currency === '') {
    throw new CliFailure('usage', 'the first prices need a currency: --currency EUR')
  }
  const prices = await client.setPrices({ currency, perGpuHour, since: since?.(cli.now()) })
  cli.print(prices, () => pricesText(cli, prices))
}

function priceOf(pair: string): readonly [string, number] {
  const [, model, price] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(pair) ?? []
  if (model !== undefined && price !== undefined) return [model, Number(price)]
  throw new CliFailure('usage', `a price is written MODEL=AMOUNT, such as H100=2.50, not "${pair}"`)
}

function billText(cli: Cli, bill: Bill): string {
  const { from, to, by, rows, total, otherCount, others, currency } = bill
  const now = cli.now()
  const end = Math.abs(to - now) < 60_000 ? 'now' : clockTime(to, now)
  const head = `From ${clockTime(from, now)} to ${end}, in GPU-hours${currency === undefined ? '' : ` and ${currency}`}:`
  if (rows.length === 0) return `${head}\nnothing was used.`
  const more = otherCount > 0 ? [{ ...others, key: `${otherCount} more` }] : []
  const money = {
    title: currency ?? '',
    cell: ({ amount }: { amount: number }) => moneyText(amount),
    align: 'right',
  }
  const table = renderTable(
    cli,
    [
      {
        title: by.toUpperCase(),
        cell: ({ key, name }) => (name === undefined ? key : `${key} ${name}`),
        shrinksTo: 14,
      },
      { title: 'HELD', cell: (row) => gpuHours(row.held), align: 'right' },
      { title: 'BILLED', cell: (row) => gpuHours(row.billed), align: 'right' },
      { title: 'NOT BILLED', cell: (row) => gpuHours(row.notBilled), align: 'right' },
      ...(currency === undefined ? [] : [{ ...money, align: 'right' as const }]),
    ],
    [...rows, ...more, { ...total, key: 'total' }],
  )
  return [head, table, ...wasteText(bill), ...notes(bill)].join('\n')
}

function wasteText({ total }: Bill): string[] {
  const lines = CAUSES.filter(([cause]) => total.byCause[cause] > 0).map(
    ([cause, words, billed]) => `  ${gpuHours(total.byCause[cause]).padStart(10)}  ${words} (${billed})`,
  )
  return lines.length === 0 ? [] : ['', 'GPU-hours without work:', ...lines]
}

function notes({ total, models, currency }: Bill): string[] {
  const notes: string[] = []
  if (total.open > 0) {
    notes.push(
      `${gpuHours(total.open)} GPU-hours are of attempts that have not ended; what they lose in a failure will not be billed.`,
    )
  }
  const unpriced = models
    .filter(({ isPriced, billed }) => !isPriced && billed > 0)
    .map(({ gpuModel }) => gpuModel)
  if (currency !== undefined && unpriced.length > 0) {
    notes.push(`Without a price all or some of the time: ${unpriced.join(', ')}.`)
  }
  return notes.length === 0 ? [] : ['', ...notes]
}

function pricesText(cli: Cli, { currency, lists, gpuModels }: PricesView): string {
  if (lists.length === 0) {
    return 'There are no prices; bills are in GPU-hours only. An operator sets them: banyan bill prices set H100=2.50 --currency EUR'
  }
  const now = cli.now()
  const rows = lists.flatMap(({ since, perGpuHour }) =>
    Object.entries(perGpuHour).map(([model, price]) => ({ since, model, price })),
  )
  const table = renderTable(
    cli,
    [
      { title: 'SINCE', cell: ({ since }) => (since === 0 ? 'ever' : clockTime(since, now)) },
      { title: 'MODEL', cell: ({ model }) => model },
      { title: `${currency} A GPU-HOUR`, cell: ({ price }) => moneyText(price), align: 'right' },
    ],
    rows,
  )
  const without = gpuModels.flatMap(({ gpuModel, perGpuHour }) =>
    perGpuHour === undefined ? [gpuModel] : [],
  )
  return without.length === 0 ? table : `${table}\nWithout a price now: ${without.join(', ')}.`
}

function moneyText(amount: number): string {
  return amount.toFixed(2)
}
