import pg from 'pg'
import { StoreError } from './store-error.ts'

/** The embedded database ended, or was ended because nothing more could be expected of it. */
export class EmbeddedDatabaseEnded extends Error {
  override readonly name = 'EmbeddedDatabaseEnded'
}

/** SQLSTATE: PostgreSQL 18, appendix A. 08 is "connection exception", 57P "operator intervention". */
const DISK_FULL = '53100'
const CONNECTION_ENDED = /^(08|57P)/
const SOCKET_FAILED = /^(ECONN|EPIPE|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|EAI_)/
/** How `pg` words it; it gives these errors no code. */
const CLIENT_ENDED =
  /^(Connection terminated|Client has encountered|Client was closed|timeout exceeded|timeout expired)/

/** The failure in the store's own terms where it has one; any other is passed on as it is. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === DISK_FULL || /ENOSPC|No space left/.test(error.message)) {
    return new StoreError(
      'disk-full',
      `The disk of the database is full (${error.message}). What was acknowledged is safe; whether this batch was ` +
        'written is known when the state is loaded again. Free some space.',
      { cause: error, retry: true },
    )
  }
  if (!hasLostConnection(error, code)) return error
  return new StoreError('lost', `The connection to the database ended: ${error.message || code}.`, {
    cause: error,
    retry: true,
  })
}

function hasLostConnection(error: Error, code: string): boolean {
  if (error instanceof pg.DatabaseError) return CONNECTION_ENDED.test(code)
  if (error instanceof EmbeddedDatabaseEnded) return true
  return SOCKET_FAILED.test(code) || CLIENT_ENDED.test(error.message)
}
