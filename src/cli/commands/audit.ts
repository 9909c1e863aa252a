import { describeEvent, type LoggedEventView } from '../../api/index.ts'
import type { Actor } from '../../model/index.ts'
import { actorName } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderTable } from '../render/table.ts'
import { clockTime } from '../render/values.ts'
import { clientAndPeriod } from './period.ts'

export interface AuditOptions {
  readonly actor?: string
  readonly kind?: readonly string[]
  readonly workload?: string
  readonly node?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: number
  readonly csv?: true
  readonly jsonl?: true
}

/** Who did what, when, and because of what. */
export async function audit(cli: Cli, options: AuditOptions): Promise<void> {
  if (options.csv && options.jsonl) throw new CliFailure('usage', 'give --csv or --jsonl, not both')
  const { actor, kind, workload, node } = options
  const { client, period } = await clientAndPeriod(cli, options)
  const filters = {
    actor,
    ...(kind === undefined ? {} : { kind: [...kind] }),
    workload,
    node,
    ...period,
  }
  if (options.csv) return print(cli, await client.exportEventsAsCsv(filters))
  if (options.jsonl) return print(cli, await client.exportEvents(filters))
  const limit = options.limit ?? 50
  const page = await client.listEvents({ ...filters, order: 'newest', limit })
  cli.print(page, () => auditText(cli, page.items, page.more))
}

async function print(cli: Cli, stream: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder()
  for await (const bytes of stream) cli.io.out(decoder.decode(bytes, { stream: true }))
}

function auditText(cli: Cli, items: readonly LoggedEventView[], more: boolean): string {
  if (items.length === 0) return 'nothing happened that fits.'
  const now = cli.now()
  const table = renderTable(
    cli,
    [
      { title: 'TIME', cell: ({ at }) => clockTime(at, now) },
      { title: 'ACTOR', cell: ({ actor }) => actorName(actor as Actor) },
      { title: 'CAUSE', cell: ({ cause }) => cause },
      { title: 'WHAT', cell: describeEvent, shrinksTo: 30 },
    ],
    items,
  )
  return more ? `${table}\nThere are more: --limit, or narrower filters.` : table
}
