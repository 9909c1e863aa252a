import { openDataFolder } from './data-folder.ts'
import type { Database } from './database.ts'
import { keepHouse } from './housekeeping.ts'
import { kyselyOnPool } from './kysely-of.ts'

/** PostgreSQL inside this process. Its one connection is shared by reads and writes, in the order they are asked. */
export async function openEmbedded(folder: string, log: (line: string) => void): Promise<Database> {
  const { server, lock } = await openDataFolder(folder)
  // ssl and password are set so that PGSSLMODE and PGPASSFILE, which are meant for a real server, are not looked at.
  const connection = kyselyOnPool({
    max: 1,
    idleTimeoutMillis: 0,
    ssl: false,
    user: 'postgres',
    database: 'postgres',
    password: 'unused',
    stream: () => server.connect(),
  })
  const stopHousekeeping = keepHouse(connection, log)
  return {
    reader: connection,
    // The lock on the folder already makes this process the only one.
    openWriter: async () => {
      let close = () => {}
      const closed = new Promise<void>((resolve) => {
        close = resolve
      })
      return { connection, lost: Promise.race([server.ended, closed]), close: async () => close() }
    },
    close: async () => {
      await stopHousekeeping()
      await connection.destroy()
      await server.close()
      lock.release()
    },
  }
}
