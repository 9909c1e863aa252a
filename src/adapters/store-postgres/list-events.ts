import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { EventQuery } from '../../control/ports/index.ts'
import type { Actor } from '../../model/index.ts'
import type { LoggedEvent } from './rows.ts'
import type { Tables } from './tables.ts'

interface Row {
  sequence: number
  at: number
  actor: unknown
  cause: string
  body: unknown
}

/** What the index `events_of_node` is on, word for word. */
const NODE_OF_EVENT = sql`event_node(kind, body)`
const OF_PERSON = sql`actor ->> 'kind' = 'user'`

/**
 * Events in order, or newest first. Each way to ask has an index that gives them in that order (a workload's, a node's,
 * those of some kinds, those that people caused), so the cost grows with the page; what else is asked for is compared row by
 * row. Time only goes forward in the log, so that a time is found in it by halving.
 */
export async function listEvents(reader: Kysely<Tables>, query: EventQuery): Promise<readonly LoggedEvent[]> {
  const after = Math.max(
    query.after,
    query.from === undefined ? 0 : (await firstSince(reader, query.from)) - 1,
  )
  const before =
    query.to === undefined ? query.before : minimum(query.before, await firstSince(reader, query.to))
  const { workload, node, kinds, actor, newestFirst, limit } = query
  const byPeople = actor?.kind === 'user' && workload === undefined && node === undefined
  const byKind = !byPeople && workload === undefined && node === undefined
  const conditions: RawBuilder<unknown>[] = []
  if (workload !== undefined) conditions.push(sql`workload = ${workload}`)
  if (node !== undefined) conditions.push(sql`${NODE_OF_EVENT} = ${node}`)
  if (actor) conditions.push(actor.kind === 'user' ? OF_PERSON : sql`actor ->> 'kind' = ${actor.kind}`)
  if (actor?.id !== undefined) conditions.push(sql`actor ->> 'id' = ${actor.id}`)
  if (kinds && !byKind) conditions.push(sql`kind = any(${[...kinds]}::text[])`)
  // The people's index is on -sequence, so that the planner cannot walk the primary key in the hope of meeting them.
  if (byPeople) {
    conditions.push(sql`-sequence < ${-after}`)
    if (before !== undefined) conditions.push(sql`-sequence > ${-before}`)
  } else {
    conditions.push(sql`sequence > ${after}`)
    if (before !== undefined) conditions.push(sql`sequence < ${before}`)
  }
  const order = byPeople
    ? sql`order by -sequence ${newestFirst ? sql`asc` : sql`desc`} limit ${limit}`
    : sql`order by sequence ${newestFirst ? sql`desc` : sql`asc`} limit ${limit}`
  const branches = (
    byKind && kinds ? kinds.map((kind) => [...conditions, sql`kind = ${kind}`]) : [conditions]
  ).map(
    (where) =>
      sql`(select sequence, at, actor, cause, body from events where ${sql.join(where, sql` and `)} ${order})`,
  )
  if (branches.length === 0) return []
  const { rows } = await sql<Row>`
    select sequence, at, actor, cause, body from (${sql.join(branches, sql` union all `)}) as found ${order}`.execute(
    reader,
  )
  return rows.map(({ sequence, at, actor, cause, body }) => ({
    sequence,
    at,
    actor: actor as Actor,
    cause,
    event: body as LoggedEvent['event'],
  }))
}

/** The number of the first event that is not before this time; one past the last where there is none. */
async function firstSince(reader: Kysely<Tables>, at: number): Promise<number> {
  const { last_sequence: last } = await reader
    .selectFrom('ledger')
    .select('last_sequence')
    .executeTakeFirstOrThrow()
  let [low, high] = [1, last + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const event = await reader
      .selectFrom('events')
      .select('at')
      .where('sequence', '=', middle)
      .executeTakeFirstOrThrow()
    if (event.at < at) low = middle + 1
    else high = middle
  }
  return low
}

function minimum(a: number | undefined, b: number): number {
  return a === undefined ? b : Math.min(a, b)
}
