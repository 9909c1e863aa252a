import { type Kysely, type RawBuilder, sql } from 'kysely'
import { HOUR_MS } from '../../base/index.ts'
import type { TopUsage, TopUsageQuery, UsageGroup, UsageQuery, UsageSum } from '../../control/ports/index.ts'
import { isBilled, isHeld, SPAN_CAUSES } from '../../model/index.ts'
import type { Tables } from './tables.ts'

const COLUMN_OF_GROUP = {
  organisation: 'organisation',
  team: 'team',
  user: 'user_id',
  workload: 'workload',
} as const satisfies Record<UsageGroup, string>

const BILLED = SPAN_CAUSES.filter(isBilled)
const HELD = SPAN_CAUSES.filter(isHeld)

interface Row {
  period: number
  key: string
  gpu_model: string
  cause: UsageSum['cause']
  gpu_ms: number
}

interface TopRow extends Omit<Row, 'key'> {
  /** Null of what is not told by group. */
  key: string | null
  group_count: number
}

/** The spans in the periods, added up by the database, so that only sums travel; ordered, so that the answer is always the same. */
export async function sumUsage(reader: Kysely<Tables>, query: UsageQuery): Promise<readonly UsageSum[]> {
  if (query.periods.length === 0) return []
  const { rows } = await sql<Row>`
    select period, key, gpu_model, cause, (sum(milli_gpu_ms) / 1000)::float8 as gpu_ms from (${cutSpans(query)}) as cut
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`.execute(reader)
  return rows.map((row) => usageSum(row, row.key))
}

/** The same of the first workloads by cost, ranked in the database, the shorter id as the smaller number; `reader` sees one instant. */
export async function sumTopUsage(reader: Kysely<Tables>, query: TopUsageQuery): Promise<TopUsage> {
  if (query.periods.length === 0) return { sums: [], rest: { sums: [], groupCount: 0 } }
  const models = await sql<{ gpu_model: string }>`
    select distinct gpu_model from usage_spans as spans where ${isAsked(query)}`.execute(reader)
  const prices = query.periods.flatMap((_, period) =>
    models.rows.map(({ gpu_model: model }) => ({ period, model, price: query.priceOf(period, model) })),
  )
  const { rows } = await sql<TopRow>`
    with cut as materialized (${cutSpans(query)}),
    ranked as (
      select key, count(*) over () as group_count
      from cut join unnest(${prices.map(({ period }) => period)}::int[], ${prices.map(({ model }) => model)}::text[],
        ${prices.map(({ price }) => price)}::float8[]) as prices (period, gpu_model, per_gpu_hour) using (period, gpu_model)
      group by key
      order by floor(coalesce(sum(milli_gpu_ms * per_gpu_hour) filter (where cause = any(${BILLED}::text[])), 0)
          / 1000 / ${HOUR_MS}::float8 * 1e6 + 0.5) desc,
        coalesce(sum(milli_gpu_ms) filter (where cause = any(${HELD}::text[])), 0) desc, length(key), key
      limit ${query.limit}
    ),
    told as (select key from ranked union select unnest(${[...query.keys]}::text[]))
    select period, told.key, gpu_model, cause, (sum(milli_gpu_ms) / 1000)::float8 as gpu_ms,
      (select max(group_count) from ranked) as group_count
    from cut left join told using (key) group by 1, 2, 3, 4 order by 1, 2, 3, 4`.execute(reader)
  const sums: UsageSum[] = []
  const rest: UsageSum[] = []
  for (const row of rows) {
    if (row.key === null) rest.push(usageSum(row, ''))
    else sums.push(usageSum(row, row.key))
  }
  const told = new Set(sums.map(({ key }) => key))
  return { sums, rest: { sums: rest, groupCount: (rows[0]?.group_count ?? 0) - told.size } }
}

function usageSum(
  { period, gpu_model: gpuModel, cause, gpu_ms: gpuMs }: Omit<Row, 'key'>,
  key: string,
): UsageSum {
  return { period, key, gpuModel, cause, gpuMs }
}

/**
 * One row for each span and period that meet. Of several periods those that a span meets are searched in their order, not tried
 * one by one, so that many short ones cost little.
 */
function cutSpans(query: UsageQuery): RawBuilder<unknown> {
  const key = sql.ref(`spans.${COLUMN_OF_GROUP[query.by]}`)
  const starts = sql`${query.periods.map(({ from }) => from)}::bigint[]`
  const ends = sql`${query.periods.map(({ to }) => to)}::bigint[]`
  const first = sql`greatest(width_bucket(spans.from_at, ${starts}), 1)`
  const last = sql`width_bucket(spans.to_at - 1, ${starts})`
  const met = query.periods.length === 1 ? sql`(values (1))` : sql`generate_series(${first}, ${last})`
  return sql`
    select number - 1 as period, ${key} as key, spans.gpu_model, spans.cause, spans.milli_gpus
      * (least(spans.to_at, (${ends})[number]) - greatest(spans.from_at, (${starts})[number])) as milli_gpu_ms
    from usage_spans as spans cross join ${met} as met (number)
    where ${isAsked(query)} and (${ends})[number] > spans.from_at`
}

/** The spans between the first beginning and the last end, of what is asked for. */
function isAsked({ periods, organisation, only }: UsageQuery): RawBuilder<unknown> {
  const conditions = [
    sql`spans.to_at > ${periods[0]?.from}::bigint`,
    sql`spans.from_at < ${periods.at(-1)?.to}::bigint`,
  ]
  if (organisation !== undefined) conditions.push(sql`spans.organisation = ${organisation}`)
  if (only) {
    const { teams, user } = only
    conditions.push(sql`(spans.team = any(${[...teams]}::text[]) or spans.user_id = ${user})`)
  }
  return sql.join(conditions, sql` and `)
}
