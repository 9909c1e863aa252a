import { type Kysely, sql } from 'kysely'
import { present } from '../../base/index.ts'
import type { Page, WorkloadQuery } from '../../control/ports/index.ts'
import { WORKLOAD_STATES, type Workload } from '../../model/index.ts'
import type { FinishedWorkloads } from './finished-workloads.ts'
import { workloadNumber } from './numbers.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

type Column = 'organisation' | 'team' | 'user_id' | 'name'

/** The indexes by which workloads are found, the narrowest first. */
const SCOPES: readonly (readonly Column[])[] = [
  ['user_id'],
  ['organisation', 'name'],
  ['name'],
  ['team'],
  ['organisation'],
]

/** Of finished workloads the document is left out. */
interface Found {
  readonly id: string
  readonly final_at: number | null
  readonly document: Workload | null
}

/**
 * A page of workloads, newest first. The first scope of which all columns are asked for has an index on them, the
 * state and the number, so the newest of each state are read in order and merged: the cost grows with the page
 * and not with the history. What else is asked for is compared row by row. The states are joined to one lateral query
 * because a union of one for each state takes longer to plan than to run.
 */
export async function listWorkloads(
  reader: Kysely<Tables>,
  finished: FinishedWorkloads,
  query: WorkloadQuery,
): Promise<Page<Workload>> {
  const states = [...new Set(query.states ?? WORKLOAD_STATES)]
  if (states.length === 0) return { items: [] }
  const asked = askedFor(query)
  const scope = SCOPES.find((columns) => columns.every((column) => asked.has(column)))
  const conditions = [...asked].map(([column, value]) =>
    // An expression in place of a column keeps the planner from the index of another scope, whose size it can only guess.
    scope?.includes(column) ? sql`${sql.ref(column)} = ${value}` : sql`${sql.ref(column)} || '' = ${value}`,
  )
  if (query.cursor !== undefined) {
    const cursor = numberOfCursor(query.cursor)
    conditions.push(scope ? sql`number < ${cursor}` : sql`-number > ${-cursor}`)
  }
  const where = sql.join([sql`state = wanted.state`, ...conditions], sql` and `)
  // The index without a scope is on -number, for the same reason.
  const newest = sql`order by ${scope ? sql`number desc` : sql`-number`} limit ${query.limit + 1}`
  const { rows } = await sql<Found>`
    select id, final_at, case when final_at is null then document end as document
    from unnest(${states}::text[]) as wanted (state)
    cross join lateral (
      select number, id, final_at, document from workloads where ${where} ${newest}
    ) as found ${newest}`.execute(reader)
  const items = await documentsOf(reader, finished, rows.slice(0, query.limit))
  const last = items.at(-1)
  return rows.length > query.limit && last ? { items, next: last.id } : { items }
}

/** The workloads of these rows. Finished ones are read once and then kept, because most pages hold the same. */
async function documentsOf(
  reader: Kysely<Tables>,
  finished: FinishedWorkloads,
  rows: readonly Found[],
): Promise<Workload[]> {
  const known = new Map<string, Workload>()
  for (const { id, final_at, document } of rows) {
    const workload = document ?? finished.get(id, present(final_at, 'end of a finished workload'))
    if (workload) known.set(id, workload)
  }
  const missing = rows.flatMap(({ id }) => (known.has(id) ? [] : [id]))
  if (missing.length > 0) {
    const read = await sql<{ document: Workload }>`
      select document from workloads where id = any(${missing}::text[])`.execute(reader)
    for (const { document } of read.rows) {
      finished.add(document)
      known.set(document.id, document)
    }
  }
  return rows.map(({ id }) => present(known.get(id), `workload ${id}`))
}

function askedFor({ organisation, team, user, name }: WorkloadQuery): Map<Column, string> {
  const asked = new Map<Column, string>()
  if (organisation !== undefined) asked.set('organisation', organisation)
  if (team !== undefined) asked.set('team', team)
  if (user !== undefined) asked.set('user_id', user)
  if (name !== undefined) asked.set('name', name)
  return asked
}

function numberOfCursor(cursor: string): number {
  const number = workloadNumber(cursor)
  if (number !== undefined) return number
  throw new StoreError(
    'bad-cursor',
    `"${cursor.slice(0, 40)}" is not a cursor; send the one that the page before gave, or none for the first page.`,
  )
}
