import { type Kysely, sql } from 'kysely'
import { writeBackupFile } from './backup-file.ts'
import type { Database } from './database.ts'
import { storeFailure } from './failure.ts'
import { openStore, type StoreLocation } from './open-store.ts'
import { PostgresStore } from './postgres-store.ts'
import { DATA_TABLES } from './rows.ts'
import type { Tables } from './tables.ts'

const ROWS_AT_ONCE = 2_000

export interface BackupSummary {
  readonly file: string
  readonly lastSequence: number
}

/**
 * Writes everything as of one instant into a new file. The store stays in use: a server is read in one transaction, of
 * the embedded database first a copy is made, for which reads and appends wait.
 */
export async function backup(source: PostgresStore | StoreLocation, file: string): Promise<BackupSummary> {
  if (source instanceof PostgresStore) return backupOpen(source.database, file)
  const store = await openStore(source)
  try {
    return await backupOpen(store.database, file)
  } finally {
    await store.close()
  }
}

async function backupOpen(database: Database, file: string): Promise<BackupSummary> {
  try {
    return await database.snapshot(async (snapshot) => {
      const { last_sequence: lastSequence } = await snapshot
        .selectFrom('ledger')
        .select('last_sequence')
        .executeTakeFirstOrThrow()
      const { schema } = await snapshot
        .selectFrom('migrations')
        .select((row) => row.fn.max('version').as('schema'))
        .executeTakeFirstOrThrow()
      await writeBackupFile(file, { schema, lastSequence }, lines(snapshot))
      return { file, lastSequence }
    })
  } catch (error) {
    throw storeFailure(error)
  }
}

/** The database writes the JSON of each row itself, which keeps the bytes of its JSON columns. */
async function* lines(snapshot: Kysely<Tables>): AsyncGenerator<readonly string[]> {
  for (const table of DATA_TABLES) {
    await sql`declare backup_rows no scroll cursor for select row_to_json(it)::text as row from ${sql.table(table)} as it`.execute(
      snapshot,
    )
    for (;;) {
      const { rows } = await sql<{ row: string }>`fetch ${sql.lit(ROWS_AT_ONCE)} from backup_rows`.execute(
        snapshot,
      )
      yield rows.map(({ row }) => `{"${table}":${row}}`)
      if (rows.length < ROWS_AT_ONCE) break
    }
    await sql`close backup_rows`.execute(snapshot)
  }
}
