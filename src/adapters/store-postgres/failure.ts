import pg from 'pg'
import { StoreError } from './store-error.ts'

/** SQLSTATE classes and codes: PostgreSQL 18, appendix A. */
const DISK_FULL = '53100'
const CONNECTION_CLASSES = ['08', '57P']

/** The failure in the store's own terms where it has one; any other is passed on as it is. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === DISK_FULL || code === 'ENOSPC') {
    return new StoreError(
      'disk-full',
      `The disk of the database is full (${error.message}). Nothing of this batch was written, what was acknowledged ` +
        'before is safe. Free some space.',
      { cause: error, retry: true },
    )
  }
  const isConnection =
    error instanceof pg.DatabaseError ? CONNECTION_CLASSES.some((it) => code.startsWith(it)) : true
  if (!isConnection) return error
  return new StoreError('lost', `The connection to the database ended: ${error.message || code}.`, {
    cause: error,
    retry: true,
  })
}
