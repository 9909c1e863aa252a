import { Kysely, PostgresDialect, type TransactionBuilder } from 'kysely'
import pg from 'pg'
import type { Tables } from './tables.ts'

/** Numbers of events and times in `bigint` columns stay far below 2^53, so they are read as numbers. */
export const COLUMN_TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
}

/** Up to `options.max` connections, opened when they are needed. */
export function kyselyOnPool(options: pg.PoolConfig): Kysely<Tables> {
  const pool = new pg.Pool({ ...options, types: COLUMN_TYPES })
  // The end of a connection is told to the query that runs on it or comes next; without listeners it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

/** On one connection that is already open, for single statements: transactions of two callers would mix on it. */
export function kyselyOnClient(client: pg.Client): Kysely<Tables> {
  const shared = Object.assign(client, { release: () => {} })
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { connect: async () => shared, end: () => client.end() } }),
  })
}

/** A transaction that sees one instant of the database. */
export function snapshotOf(reader: Kysely<Tables>): TransactionBuilder<Tables> {
  return reader.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
}
