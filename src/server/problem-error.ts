import type { Fault, ProblemCode, ProblemDocument } from '../api/index.ts'
import { problem } from '../api/index.ts'
import type { Rejection, RejectionCode } from '../control/index.ts'

/** A refusal on its way to the caller: thrown by a handler, answered as an RFC 9457 document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly document: ProblemDocument

  constructor(
    code: ProblemCode,
    detail: string,
    more: { readonly hint?: string; readonly errors?: readonly Fault[] } = {},
  ) {
    super(detail)
    this.document = problem(code, detail, more)
  }
}

const PROBLEM_OF_REJECTION = {
  // Handlers find it first, so it has ended since.
  'no-such-workload': 'wrong-state',
  'no-such-node': 'not-found',
  'no-such-queue': 'not-found',
  'no-such-team': 'not-found',
  'no-such-organisation': 'not-found',
  'no-such-user': 'not-found',
  'no-such-token': 'not-found',
  'no-such-dependency': 'invalid-spec',
  'dependency-failed': 'invalid-spec',
  'already-exists': 'already-exists',
  'not-allowed-in-state': 'wrong-state',
  'model-name-taken': 'already-exists',
  'invalid-queue': 'invalid-request',
  stale: 'stale',
  'topology-in-use': 'still-used',
  'invalid-name': 'invalid-request',
  'no-such-reservation': 'not-found',
  'invalid-reservation': 'invalid-request',
  'invalid-prices': 'invalid-request',
} as const satisfies Record<RejectionCode, ProblemCode>

export function problemOfRejection(rejection: Rejection): ProblemError {
  return new ProblemError(PROBLEM_OF_REJECTION[rejection.code], rejection.message)
}
