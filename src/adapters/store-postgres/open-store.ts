import { openEmbedded } from './embedded-database.ts'
import { migrate } from './migrate.ts'
import { PostgresStore } from './postgres-store.ts'
import { openServer } from './server-database.ts'

/** Where the data is: a folder for the PostgreSQL inside this process, or the address of a server. */
export type StoreLocation = { readonly dataDir: string } | { readonly databaseUrl: string }

/**
 * The store at this place, with its schema brought up to date. A folder is locked until `close`; it is made when it
 * is not there. Throws a `StoreError` that says what to do.
 */
export async function openStore(location: StoreLocation): Promise<PostgresStore> {
  const database =
    'dataDir' in location ? await openEmbedded(location.dataDir) : await openServer(location.databaseUrl)
  try {
    await migrate(database.reader)
    return new PostgresStore(database)
  } catch (error) {
    await database.close()
    throw error
  }
}
