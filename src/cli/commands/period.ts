import type { Client } from '../../api/index.ts'
import { parseDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'

const GROUPS = ['organisation', 'team', 'user', 'workload'] as const

/** What `--by` names; teams when it is left out. */
export function groupOf(by = 'team'): (typeof GROUPS)[number] {
  const group = GROUPS.find((name) => name === by)
  if (!group) throw new CliFailure('usage', `--by takes ${GROUPS.join(', ')}, not "${by}"`)
  return group
}

interface Period {
  readonly from: number | undefined
  readonly to: number | undefined
}

/** The client, and the period that `--from` and `--to` name by its server's clock. */
export async function clientAndPeriod(
  cli: Cli,
  options: { readonly from?: string; readonly to?: string },
): Promise<{ readonly client: Client; readonly period: Period }> {
  const from = momentOf('--from', options.from)
  const to = momentOf('--to', options.to)
  const client = await cli.client()
  // A span back is meant by the server's clock, which any answer tells.
  await client.getHealth()
  const now = cli.now()
  return { client, period: { from: from?.(now), to: to?.(now) } }
}

/** A date, or a span before now. */
export function momentOf(flag: string, text: string | undefined): ((now: number) => number) | undefined {
  if (text === undefined) return undefined
  const span = parseDuration(text)
  if (span.ok) return (now) => now - span.value
  const date = Date.parse(text)
  if (!Number.isNaN(date)) return () => date
  throw new CliFailure(
    'usage',
    `${flag} takes a date such as 2026-11-01 or a span back such as 7d, not "${text}"`,
  )
}
