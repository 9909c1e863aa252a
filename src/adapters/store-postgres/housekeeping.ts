import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

const EVERY_MS = 5_000
/** Bounds the disk that the write-ahead log takes and the time of a start after a crash. */
const WAL_BYTES = 64 * 2 ** 20
/** A table is worth the work after so many changed rows: the defaults of PostgreSQL's own autovacuum. */
const CHANGED_ROWS = sql.raw('50 + 0.2 * n_live_tup')

/**
 * Does what the background processes of a server do and the embedded PostgreSQL, which has none, never does: it ends
 * the write-ahead log at a checkpoint, clears dead rows, and keeps the planner's statistics true. Returns how to stop.
 */
export function keepHouse(database: Kysely<Tables>, log: (line: string) => void): () => Promise<void> {
  let work = Promise.resolve()
  const timer = setInterval(() => {
    work = work
      .then(() => tidyUp(database))
      .catch((error) => log(`the embedded database could not be tidied up: ${error.message}`))
  }, EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    return work
  }
}

export async function tidyUp(database: Kysely<Tables>, walBytes = WAL_BYTES): Promise<void> {
  const changed = await sql<{ name: string; is_dirty: boolean }>`
    select relname as name, n_dead_tup > ${CHANGED_ROWS} as is_dirty from pg_stat_user_tables
    where greatest(n_dead_tup, n_mod_since_analyze) > ${CHANGED_ROWS}`.execute(database)
  for (const { name, is_dirty } of changed.rows) {
    await sql`${is_dirty ? sql`vacuum (analyze)` : sql`analyze`} ${sql.table(name)}`.execute(database)
  }
  const wal = await sql<{ bytes: number }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as bytes from pg_control_checkpoint()`.execute(
    database,
  )
  if ((wal.rows[0]?.bytes ?? 0) > walBytes) await sql`checkpoint`.execute(database)
}
