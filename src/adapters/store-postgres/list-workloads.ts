import { type Kysely, sql } from 'kysely'
import type { Page, WorkloadQuery } from '../../control/ports/index.ts'
import { WORKLOAD_STATES, type Workload } from '../../model/index.ts'
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

/**
 * A page of workloads, newest first. The first scope of which all columns are asked for has an index on them, the
 * state and the number, so the newest of each state are read in order and merged: the cost grows with the page
 * and not with the history. What else is asked for is compared row by row.
 */
export async function listWorkloads(reader: Kysely<Tables>, query: WorkloadQuery): Promise<Page<Workload>> {
  const states = new Set(query.states ?? WORKLOAD_STATES)
  if (states.size === 0) return { items: [] }
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
  // The index without a scope is on -number, for the same reason.
  const newest = sql`order by ${scope ? sql`number desc` : sql`-number`} limit ${query.limit + 1}`
  const branches = [...states].map((state) => {
    const where = sql.join([sql`state = ${state}`, ...conditions], sql` and `)
    return sql`(select number, document from workloads where ${where} ${newest})`
  })
  const { rows } = await sql<{ number: number; document: Workload }>`
    select number, document from (${sql.join(branches, sql` union all `)}) as found ${newest}`.execute(reader)
  const items = rows.slice(0, query.limit).map((row) => row.document)
  const last = items.at(-1)
  return rows.length > query.limit && last ? { items, next: last.id } : { items }
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
