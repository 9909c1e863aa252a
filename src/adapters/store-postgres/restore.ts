import { type Kysely, sql } from 'kysely'
import { type BackupHeader, checkBackupFile, rowsOf } from './backup-file.ts'
import { storeFailure } from './failure.ts'
import { migrate } from './migrate.ts'
import { NEWEST_SCHEMA } from './migrations.ts'
import { openDatabase, type StoreLocation } from './open-store.ts'
import { type DataTable, insertRows } from './rows.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

const ROWS_AT_ONCE = 1_000

/**
 * Puts a backup into an empty place and returns what it says of itself. The file is read through before anything is
 * touched, and its rows are written in one transaction: an interrupted restore leaves the place empty.
 */
export async function restore(file: string, target: StoreLocation): Promise<BackupHeader> {
  const header = await checkBackupFile(file)
  if (header.schema > NEWEST_SCHEMA) {
    throw new StoreError(
      'too-new',
      `${file} was made by a newer Banyan (schema ${header.schema}, and this one knows up to ${NEWEST_SCHEMA}). ` +
        'Nothing was changed. Restore it with the newer Banyan.',
    )
  }
  const database = await openDatabase(target, () => {})
  try {
    // The rows have the shape of their schema; later migrations then treat them as they would have where they came from.
    const schema = await migrate(database.reader, header.schema)
    await database.reader.transaction().execute((transaction) => fill(transaction, file, header, schema))
    await migrate(database.reader)
    return header
  } catch (error) {
    throw storeFailure(error)
  } finally {
    await database.close()
  }
}

async function fill(
  transaction: Kysely<Tables>,
  file: string,
  header: BackupHeader,
  schema: number,
): Promise<void> {
  const ledger = await transaction
    .selectFrom('ledger')
    .select('last_sequence')
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (ledger.last_sequence > 0 || schema !== header.schema) {
    throw new StoreError(
      'not-empty',
      `The target is in use already (${ledger.last_sequence} events, schema ${schema}). Nothing was changed. Restore into a new data ` +
        'folder or an empty database.',
    )
  }
  const nothing = sql`(select 1) as always`
  let batch: { readonly table: DataTable; readonly rows: Tables[DataTable][] } | undefined
  const flush = async () => {
    if (batch) await insertRows(batch.table, batch.rows, nothing).execute(transaction)
    batch = undefined
  }
  for await (const { table, row } of rowsOf(file)) {
    if (batch && (batch.table !== table || batch.rows.length === ROWS_AT_ONCE)) await flush()
    batch ??= { table, rows: [] }
    batch.rows.push(row as unknown as Tables[DataTable])
  }
  await flush()
  await transaction.updateTable('ledger').set({ last_sequence: header.lastSequence }).execute()
}
