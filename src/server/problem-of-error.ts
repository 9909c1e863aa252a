import { StoreError } from '../adapters/store-postgres/index.ts'
import type { ProblemDocument } from '../api/index.ts'
import { problem } from '../api/index.ts'
import { StoreUnavailable } from './ledger.ts'
import type { Log } from './log.ts'
import { ProblemError } from './problem-error.ts'

/** What to tell the caller of an error; one that nobody foresaw is logged, and its text kept to the log. */
export function problemOfError(error: unknown, log: Log): ProblemDocument {
  if (error instanceof ProblemError) return error.document
  if (error instanceof SyntaxError) {
    return problem('invalid-request', error.message, {
      hint: 'Send JSON, as GET /v1/openapi.json describes.',
    })
  }
  if (error instanceof StoreUnavailable) return problemOfStore(error.message, error.cause)
  if (error instanceof StoreError) {
    if (error.code === 'bad-cursor') return problem('invalid-request', error.message)
    return problemOfStore('The store cannot be read', error)
  }
  log.error({ err: error }, 'a call failed')
  return problem('internal', 'The server failed on this call; its log says why.', {
    hint: 'Try again; if it stays, send the log to whoever runs this server.',
  })
}

function problemOfStore(outcome: string, cause: unknown): ProblemDocument {
  if (cause instanceof StoreError && cause.code === 'disk-full') {
    return problem('storage-full', `${outcome}: the disk of the store is full.`, {
      hint: 'Free space where the data folder or the database is, and try again.',
    })
  }
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return problem('unavailable', `${outcome}${why}`, { hint: 'Try again in a moment.' })
}
