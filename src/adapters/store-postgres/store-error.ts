/**
 * - `folder-locked`: another process holds the data folder, or that cannot be ruled out.
 * - `folder-unusable`: the data folder cannot be read or written.
 * - `disk-full`: nothing more can be written; what was acknowledged is safe.
 * - `too-new`: the data was written by a newer Banyan or a newer PostgreSQL.
 * - `unreachable`: the database server did not answer, or refused the user.
 * - `lost`: the connection or the embedded database ended; whether the last batch is there is known only by loading again.
 * - `not-leader`: this process may not append, or no longer.
 * - `out-of-step`: a batch that does not follow the last event of the log.
 * - `not-empty`: the target of a restore already holds data.
 * - `bad-backup`: the file is not a whole backup that this Banyan understands.
 * - `bad-cursor`: a page was asked for with a cursor that no page returned.
 * - `file-exists`: the backup would overwrite a file.
 */
export type StoreErrorCode =
  | 'folder-locked'
  | 'folder-unusable'
  | 'disk-full'
  | 'too-new'
  | 'unreachable'
  | 'lost'
  | 'not-leader'
  | 'out-of-step'
  | 'not-empty'
  | 'bad-backup'
  | 'bad-cursor'
  | 'file-exists'

/** A failure at the edge; `retry` says whether the same call can succeed later without anybody changing anything. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  readonly retry: boolean

  constructor(code: StoreErrorCode, message: string, options: { cause?: unknown; retry?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retry = options.retry ?? false
  }
}
