import { type Expression, type Kysely, type SqlBool, sql } from 'kysely'
import type { Page, WorkloadQuery } from '../../control/ports/index.ts'
import { WORKLOAD_STATES, type Workload } from '../../model/index.ts'
import { workloadNumber } from './numbers.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

/**
 * A page of workloads, newest first. Each index holds one owner or name, the state and the number, so the newest of
 * each state are read in order and merged: the cost grows with the page and not with the history.
 */
export async function listWorkloads(reader: Kysely<Tables>, query: WorkloadQuery): Promise<Page<Workload>> {
  const states = query.states ?? WORKLOAD_STATES
  if (states.length === 0) return { items: [] }
  const before = query.cursor === undefined ? undefined : numberOfCursor(query.cursor)
  const branches = [...new Set(states)].map(
    (state) =>
      sql`(${reader
        .selectFrom('workloads')
        .select(['number', 'document'])
        .where((where) => {
          const conditions: Expression<SqlBool>[] = [where('state', '=', state)]
          if (query.organisation !== undefined)
            conditions.push(where('organisation', '=', query.organisation))
          if (query.team !== undefined) conditions.push(where('team', '=', query.team))
          if (query.user !== undefined) conditions.push(where('user_id', '=', query.user))
          if (query.name !== undefined) conditions.push(where('name', '=', query.name))
          if (before !== undefined) conditions.push(where('number', '<', before))
          return where.and(conditions)
        })
        .orderBy('number', 'desc')
        .limit(query.limit + 1)})`,
  )
  const { rows } = await sql<{ number: number; document: Workload }>`
    select number, document from (${sql.join(branches, sql` union all `)}) as newest
    order by number desc limit ${query.limit + 1}`.execute(reader)
  const items = rows.slice(0, query.limit).map((row) => row.document)
  const last = items.at(-1)
  return rows.length > query.limit && last ? { items, next: last.id } : { items }
}

function numberOfCursor(cursor: string): number {
  const number = workloadNumber(cursor)
  if (number !== undefined) return number
  throw new StoreError(
    'bad-cursor',
    `"${cursor.slice(0, 40)}" is not a cursor; send the one that the page before gave, or none for the first page.`,
  )
}
