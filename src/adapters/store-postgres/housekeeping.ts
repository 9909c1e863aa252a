import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

const EVERY_MS = 5_000
/** Bounds the disk that the write-ahead log takes and the time of a start after a crash. */
const WAL_BYTES = 64 * 2 ** 20
/** The settings autovacuum_vacuum_threshold and autovacuum_vacuum_scale_factor of PostgreSQL, with its default values. */
const CHANGED_ROWS = 50
const CHANGED_SHARE = 0.2

/**
 * Does what the background processes of a server do and the embedded PostgreSQL, which has none, never does: it ends
 * the write-ahead log at a checkpoint, clears dead rows, and keeps the planner's statistics true. Returns how to stop.
 */
export function keepHouse(database: Kysely<Tables>): () => Promise<void> {
  let work = Promise.resolve()
  const timer = setInterval(() => {
    // A failure here harms nothing yet, and the next append meets its cause and tells it.
    work = work.then(() => tidyUp(database)).catch(() => {})
  }, EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    return work
  }
}

export async function tidyUp(database: Kysely<Tables>): Promise<void> {
  const wal = await sql<{ bytes: number }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as bytes from pg_control_checkpoint()`.execute(
    database,
  )
  if ((wal.rows[0]?.bytes ?? 0) > WAL_BYTES) await sql`checkpoint`.execute(database)
  const changed = await sql<{ name: string; is_dirty: boolean }>`
    select relname as name, n_dead_tup > ${CHANGED_ROWS} + ${CHANGED_SHARE} * n_live_tup as is_dirty
    from pg_stat_user_tables
    where greatest(n_dead_tup, n_mod_since_analyze) > ${CHANGED_ROWS} + ${CHANGED_SHARE} * n_live_tup`.execute(
    database,
  )
  for (const { name, is_dirty } of changed.rows) {
    await sql`${is_dirty ? sql`vacuum (analyze)` : sql`analyze`} ${sql.table(name)}`.execute(database)
  }
}
