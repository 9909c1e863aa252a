import { type Kysely, sql } from 'kysely'
import type { UsageGroup, UsageQuery, UsageSum } from '../../control/ports/index.ts'
import type { Tables } from './tables.ts'

const COLUMN_OF_GROUP = {
  organisation: 'organisation',
  team: 'team',
  user: 'user_id',
  workload: 'workload',
} as const satisfies Record<UsageGroup, string>

interface Row {
  period: number
  key: string
  gpu_model: string
  cause: UsageSum['cause']
  gpu_ms: number
}

/** The spans in the periods, added up by the database, so that only sums travel; ordered, so that the answer is always the same. */
export async function sumUsage(reader: Kysely<Tables>, query: UsageQuery): Promise<readonly UsageSum[]> {
  if (query.periods.length === 0) return []
  const key = sql.ref(`spans.${COLUMN_OF_GROUP[query.by]}`)
  const conditions = [sql`spans.to_at > periods.from_at`, sql`spans.from_at < periods.to_at`]
  if (query.organisation !== undefined) conditions.push(sql`spans.organisation = ${query.organisation}`)
  if (query.only) {
    const { teams, user } = query.only
    conditions.push(sql`(spans.team = any(${[...teams]}::text[]) or spans.user_id = ${user})`)
  }
  const starts = query.periods.map(({ from }) => from)
  const ends = query.periods.map(({ to }) => to)
  const { rows } = await sql<Row>`
    select periods.number - 1 as period, ${key} as key, spans.gpu_model, spans.cause, (sum(spans.milli_gpus
      * (least(spans.to_at, periods.to_at) - greatest(spans.from_at, periods.from_at))) / 1000)::float8 as gpu_ms
    from unnest(${starts}::bigint[], ${ends}::bigint[]) with ordinality as periods (from_at, to_at, number)
    join usage_spans as spans on ${sql.join(conditions, sql` and `)}
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`.execute(reader)
  return rows.map(({ gpu_model: gpuModel, gpu_ms: gpuMs, period, ...row }) => ({
    ...row,
    period,
    gpuModel,
    gpuMs,
  }))
}
