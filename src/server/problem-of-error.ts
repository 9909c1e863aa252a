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
  if (error instanceof StoreUnavailable) return problemOfStore(error)
  log.error({ err: error }, 'a call failed')
  return problem('internal', 'The server failed on this call; its log says why.', {
    hint: 'Try again; if it stays, send the log to whoever runs this server.',
  })
}

function problemOfStore(error: StoreUnavailable): ProblemDocument {
  const reason = error.cause instanceof Error ? error.cause.message : error.message
  if (/no space left|ENOSPC|disk full/i.test(reason)) {
    return problem('storage-full', `Nothing was changed: the disk of the store is full (${reason}).`, {
      hint: 'Free space under the data folder and try again.',
    })
  }
  return problem('unavailable', `Nothing was changed: ${reason}.`, { hint: 'Try again in a moment.' })
}
