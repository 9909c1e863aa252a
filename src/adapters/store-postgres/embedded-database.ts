import { constants } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'
import { COPY, type DataFolder, openDataFolder } from './data-folder.ts'
import type { Database, Writer } from './database.ts'
import { EmbeddedServer } from './embedded-server.ts'
import { keepHouse } from './housekeeping.ts'
import { kyselyOnPool, snapshotOf } from './kysely-of.ts'
import type { Tables } from './tables.ts'

/** PostgreSQL inside this process. Its one connection is shared by reads and writes, in the order they are asked. */
export async function openEmbedded(folder: string, log: (line: string) => void): Promise<Database> {
  const data = await openDataFolder(folder)
  const connection = connectTo(data.server)
  const stopHousekeeping = keepHouse(connection, log)
  return {
    reader: connection,
    snapshot: (read) => readCopy(data, connection, read),
    openWriter: async () => writerOn(data.server, connection),
    // No other process can open the folder to ask.
    advertised: async () => undefined,
    close: async () => {
      await stopHousekeeping()
      await connection.destroy()
      await data.server.close()
      data.lock.release()
    },
  }
}

function connectTo(server: EmbeddedServer): Kysely<Tables> {
  // ssl and password are set so that PGSSLMODE and PGPASSFILE, which are meant for a real server, are not looked at.
  return kyselyOnPool({
    max: 1,
    idleTimeoutMillis: 0,
    ssl: false,
    user: 'postgres',
    database: 'postgres',
    password: 'unused',
    stream: () => server.connect(),
  })
}

/** The lock on the folder already makes this process the only one. */
function writerOn(server: EmbeddedServer, connection: Kysely<Tables>): Writer {
  let close = () => {}
  const closed = new Promise<void>((resolve) => {
    close = resolve
  })
  const lost = Promise.race([server.ended, closed])
  return { connection, lost, advertise: async () => {}, close: async () => close() }
}

/**
 * A reader in a long transaction would keep everybody else off the one connection. So that is held only while the
 * files are copied, and the copy is read by a PostgreSQL of its own.
 */
async function readCopy<Result>(
  { database }: DataFolder,
  connection: Kysely<Tables>,
  read: (snapshot: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  const copy = await mkdtemp(`${database}${COPY}`)
  try {
    await connection.connection().execute(async (held) => {
      await sql`checkpoint`.execute(held)
      await cp(database, copy, { recursive: true, mode: constants.COPYFILE_FICLONE })
    })
    const server = await EmbeddedServer.start(copy)
    const reader = connectTo(server)
    try {
      return await snapshotOf(reader).execute(read)
    } finally {
      await reader.destroy()
      await server.close()
    }
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
