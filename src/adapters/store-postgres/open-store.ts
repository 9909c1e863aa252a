import type { Database } from './database.ts'
import { openEmbedded } from './embedded-database.ts'
import { migrate } from './migrate.ts'
import { PostgresStore } from './postgres-store.ts'
import { openServer } from './server-database.ts'

/** Where the data is: a folder for the PostgreSQL inside this process, or the address of a server. */
export type StoreLocation = { readonly dataDir: string } | { readonly databaseUrl: string }

export type Log = (line: string) => void

/**
 * The store at this place, with its schema brought up to date. A folder is made when it is not there, and locked until
 * `close`. What nobody asked for and still matters is told to `log`. Throws a `StoreError` that says what to do.
 */
export async function openStore(location: StoreLocation, log: Log = () => {}): Promise<PostgresStore> {
  const database = await openDatabase(location, log)
  try {
    await migrate(database.reader)
    return new PostgresStore(database)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** The database at this place, whatever schema it has. */
export function openDatabase(location: StoreLocation, log: Log): Promise<Database> {
  return 'dataDir' in location ? openEmbedded(location.dataDir, log) : openServer(location.databaseUrl)
}
