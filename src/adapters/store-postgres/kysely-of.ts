import { Kysely, PostgresDialect, type TransactionBuilder } from 'kysely'
import pg from 'pg'
import type { Tables } from './tables.ts'

/** Numbers of events and times in `bigint` columns stay far below 2^53, so they are read as numbers. */
export const COLUMN_TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
}

/**
 * Every query here has an index that gives its rows in order. While the statistics of a table are old, the planner takes
 * that for a few rows, which it would rather collect and sort; when there are many, that is slow.
 */
const PLAIN_PLANS = 'set enable_bitmapscan = off'

/** Up to `options.max` connections, opened when they are needed. */
export function kyselyOnPool(options: pg.PoolConfig): Kysely<Tables> {
  const pool = new pg.Pool({
    ...options,
    types: COLUMN_TYPES,
    // oxlint-disable-next-line typescript/no-misused-promises -- pg-pool waits for it, which its types do not say.
    onConnect: async (client) => {
      await client.query(PLAIN_PLANS)
    },
  })
  // The end of a connection is told to the query that runs on it or comes next; without listeners it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

/** On one connection that is already open, which one caller has at a time. */
export function kyselyOnClient(client: pg.Client): Kysely<Tables> {
  let turn = Promise.resolve()
  const connect = async () => {
    const before = turn
    let release = () => {}
    turn = new Promise((resolve) => {
      release = resolve
    })
    await before
    return Object.assign(client, { release })
  }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: { connect, end: () => client.end() } }) })
}

/** A transaction that sees one instant of the database. */
export function snapshotOf(reader: Kysely<Tables>): TransactionBuilder<Tables> {
  return reader.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
}
