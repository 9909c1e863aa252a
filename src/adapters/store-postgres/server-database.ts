import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import type { Database, Writer } from './database.ts'
import { COLUMN_TYPES, kyselyOnClient, kyselyOnPool, snapshotOf } from './kysely-of.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

/** The advisory lock of the leader: any number that no other program takes in the same database. */
const LEADER_LOCK = 7_116_552
/** NAMEDATALEN - 1: what PostgreSQL keeps of an application's name. */
const LONGEST_NAME_BYTES = 63
const READ_CONNECTIONS = 8
const CONNECT_TIMEOUT_MS = 10_000
const HEARTBEAT_MS = 5_000
/** After this long without an answer the leader takes its connection for dead. */
const SILENCE_MS = 30_000
/** The server finds within seconds that a leader's machine is gone, and lets the next one lead. */
const KEEPALIVE = `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 2`

/** A PostgreSQL server: many connections to read, one to write, which is held by the leader. */
export async function openServer(url: string): Promise<Database> {
  const options = {
    connectionString: parsed(url),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  }
  const reader = kyselyOnPool({ ...options, max: READ_CONNECTIONS })
  try {
    await sql`select 1`.execute(reader)
  } catch (error) {
    await reader.destroy()
    throw unreachable(url, error)
  }
  const clients = new Set<pg.Client>()
  return {
    reader,
    snapshot: (read) => snapshotOf(reader).execute(read),
    openWriter: async () => {
      const client = new pg.Client({ ...options, types: COLUMN_TYPES })
      clients.add(client)
      client.once('end', () => clients.delete(client))
      try {
        return await becomeWriter(client)
      } catch (error) {
        await client.end()
        throw unreachable(url, error)
      }
    },
    advertised: () => advertisedIn(reader),
    close: async () => {
      await Promise.all([...clients].map((client) => client.end()))
      await reader.destroy()
    },
  }
}

async function becomeWriter(client: pg.Client): Promise<Writer> {
  const lost = new Promise<void>((resolve) => client.once('end', resolve))
  // Every failure of the connection ends it, which `lost` tells.
  client.on('error', () => {})
  // `connect` alone would never settle when the client is ended meanwhile.
  await Promise.race([client.connect(), lost.then(() => Promise.reject(new Error('Connection terminated')))])
  await client.query(KEEPALIVE)
  await client.query('select pg_advisory_lock($1)', [LEADER_LOCK])
  const connection = kyselyOnClient(client)
  const heartbeat = setInterval(() => {
    const silence = setTimeout(() => client.connection.stream.destroy(), SILENCE_MS)
    const answered = () => clearTimeout(silence)
    sql`select 1`.execute(connection).then(answered, answered)
  }, HEARTBEAT_MS)
  void lost.then(() => clearInterval(heartbeat))
  return {
    connection,
    lost,
    advertise: async (text) => {
      if (Buffer.byteLength(text) > LONGEST_NAME_BYTES) {
        throw new Error(
          `"${text}" has more than ${LONGEST_NAME_BYTES} bytes; give a shorter one with --advertise`,
        )
      }
      await sql`select set_config('application_name', ${text}, false)`.execute(connection)
    },
    close: () => client.end(),
  }
}

/** The name of the session that holds the lock, which the server shows to sessions of the same user and forgets with it. */
async function advertisedIn(reader: Kysely<Tables>): Promise<string | undefined> {
  const { rows } = await sql<{ application_name: string }>`
    select activity.application_name from pg_locks lock join pg_stat_activity activity using (pid)
    where lock.locktype = 'advisory' and lock.objid = ${LEADER_LOCK} and lock.classid = 0 and lock.granted
      and activity.datname = current_database()`.execute(reader)
  return rows[0]?.application_name || undefined
}

function parsed(url: string): string {
  let protocol = ''
  try {
    protocol = new URL(url).protocol
  } catch {
    // Falls through to the refusal, which must not show the text: it may hold a password.
  }
  if (protocol === 'postgres:' || protocol === 'postgresql:') return url
  throw new StoreError(
    'unreachable',
    'DATABASE_URL is not the address of a PostgreSQL server; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.',
  )
}

function unreachable(url: string, error: unknown): StoreError {
  const { username, host, pathname, searchParams } = new URL(url)
  const place = `${host || searchParams.get('host') || 'localhost'}, database "${pathname.slice(1)}", user "${username}"`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const why = error instanceof Error ? error.message || code : String(error)
  return new StoreError('unreachable', `PostgreSQL at ${place}: ${why}. ${advice(code)}`, {
    cause: error,
    retry: !code.startsWith('28') && !code.startsWith('3D'),
  })
}

/** SQLSTATE 28xxx: invalid authorization; 3D000: no such database (PostgreSQL 18, appendix A). */
function advice(code: string): string {
  if (code.startsWith('28')) return 'Check user and password in DATABASE_URL, and pg_hba.conf on the server.'
  if (code.startsWith('3D')) return 'Make the database (createdb), or correct its name in DATABASE_URL.'
  if (code === 'ENOTFOUND') return 'Check the name of the host in DATABASE_URL.'
  return 'Check that the server runs there, and host and port in DATABASE_URL.'
}
