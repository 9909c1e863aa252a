import { type Kysely, sql } from 'kysely'
import { MIGRATIONS, NEWEST_SCHEMA } from './migrations.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

/** Any number that no other program takes in the same database; held while the schema changes. */
const MIGRATION_LOCK = 7_116_551

/**
 * Brings the schema up to version `upTo`, all steps in one transaction, one server at a time, and returns the version
 * it has then. Refuses a schema that this Banyan does not know yet.
 */
export async function migrate(database: Kysely<Tables>, upTo = NEWEST_SCHEMA): Promise<number> {
  return await database.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction)
    await sql`create table if not exists migrations (
      version integer primary key, name text not null, applied_at timestamptz not null default now())`.execute(
      transaction,
    )
    const applied = await transaction.selectFrom('migrations').select('version').execute()
    const present = Math.max(0, ...applied.map((row) => row.version))
    if (present > NEWEST_SCHEMA) {
      throw new StoreError(
        'too-new',
        `The data was written by a newer Banyan: its schema is version ${present}, and this one knows versions up to ` +
          `${NEWEST_SCHEMA}. Start the newer Banyan, or restore a backup that was made with this one.`,
      )
    }
    for (const { version, name, sql: statements } of MIGRATIONS) {
      if (version <= present || version > upTo) continue
      await sql.raw(statements).execute(transaction)
      await transaction.insertInto('migrations').values({ version, name }).execute()
    }
    return Math.max(present, upTo)
  })
}
