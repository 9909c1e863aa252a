import type { UsageSummary } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { renderTable } from '../render/table.ts'
import { clockTime, gpuHours } from '../render/values.ts'
import { clientAndPeriod, groupOf } from './period.ts'

export interface UsageOptions {
  readonly by?: string
  readonly from?: string
  readonly to?: string
}

/** GPU-hours held, billed and lost, by whom. */
export async function usage(cli: Cli, options: UsageOptions): Promise<void> {
  const by = groupOf(options.by)
  const { client, period } = await clientAndPeriod(cli, options)
  const summary = await client.getUsage({ by, ...period })
  cli.print(summary, () => usageText(cli, summary))
}

function usageText(cli: Cli, { from, to, by, rows, total }: UsageSummary): string {
  const now = cli.now()
  const end = Math.abs(to - now) < 60_000 ? 'now' : clockTime(to, now)
  const head = `From ${clockTime(from, now)} to ${end}, in GPU-hours:`
  const all = [
    ...rows,
    { key: 'total', workloads: rows.reduce((sum, { workloads }) => sum + workloads, 0), usage: total },
  ]
  const table = renderTable(
    cli,
    [
      { title: by.toUpperCase(), cell: ({ key }) => key, shrinksTo: 14 },
      { title: 'WORKLOADS', cell: ({ workloads }) => String(workloads), align: 'right' },
      { title: 'HELD', cell: (row) => gpuHours(row.usage.held), align: 'right' },
      { title: 'BILLED', cell: (row) => gpuHours(row.usage.billed), align: 'right' },
      { title: 'LOST', cell: (row) => gpuHours(row.usage.lost), align: 'right' },
    ],
    all,
  )
  return rows.length === 0 ? `${head}\nnothing was used.` : `${head}\n${table}`
}
