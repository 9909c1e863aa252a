import { z } from 'zod'
import { named, type WireOf } from './schema.ts'

/** Exit status of the command line, by the kind of what went wrong. */
export const EXIT_CODES = {
  ok: 0,
  internal: 1,
  usage: 2,
  'not-found': 3,
  'not-allowed': 4,
  conflict: 5,
  'invalid-spec': 6,
  unreachable: 7,
  'workload-failed': 8,
} as const
export type ExitKind = keyof typeof EXIT_CODES

interface ProblemKind {
  readonly status: number
  readonly exit: ExitKind
  readonly title: string
}

/** Everything that an answer of the server can say went wrong. */
export const PROBLEMS = {
  'invalid-request': { status: 400, exit: 'usage', title: 'The request is not understood' },
  unauthenticated: { status: 401, exit: 'not-allowed', title: 'A valid token is needed' },
  forbidden: { status: 403, exit: 'not-allowed', title: 'This caller may not do that' },
  'not-found': {
    status: 404,
    exit: 'not-found',
    title: 'There is no such thing, or this caller may not see it',
  },
  'wrong-method': { status: 405, exit: 'usage', title: 'This address does not take that method' },
  'wrong-state': { status: 409, exit: 'conflict', title: 'Its present state does not allow that' },
  'already-exists': { status: 409, exit: 'conflict', title: 'There is one of this name already' },
  'still-used': { status: 409, exit: 'conflict', title: 'Something still depends on it' },
  stale: { status: 412, exit: 'conflict', title: 'It has been changed since it was read' },
  'idempotency-key-reused': {
    status: 409,
    exit: 'conflict',
    title: 'This idempotency key belongs to another submission',
  },
  'too-large': { status: 413, exit: 'invalid-spec', title: 'The request is too large' },
  'invalid-spec': { status: 422, exit: 'invalid-spec', title: 'The workload spec has errors' },
  unsatisfiable: { status: 422, exit: 'invalid-spec', title: 'This cluster can never run that' },
  'too-many-requests': { status: 429, exit: 'unreachable', title: 'Too many requests; slow down' },
  internal: { status: 500, exit: 'internal', title: 'Banyan failed' },
  unsupported: { status: 501, exit: 'usage', title: 'This server cannot do that' },
  unavailable: { status: 503, exit: 'unreachable', title: 'The server cannot answer now' },
  'storage-full': { status: 507, exit: 'internal', title: 'The store cannot take more' },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS
export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[]

/** One fault among several, with its place where it has one. */
const fault = z.object({
  field: z.string().describe('path of the field, for example `topology.within.level`; empty for the whole'),
  message: z.string(),
  file: z.string().exactOptional(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
})
export type Fault = WireOf<typeof fault>

export const problemDocument = named(
  'Problem',
  'What went wrong (RFC 9457): `detail` says what and where, `hint` what to do next.',
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(PROBLEM_CODES),
    detail: z.string(),
    hint: z.string().exactOptional(),
    instance: z.string().exactOptional(),
    errors: z.array(fault).exactOptional(),
  }),
)
export type ProblemDocument = WireOf<typeof problemDocument>

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The document to answer with, status and title filled in from the code. */
export function problem(
  code: ProblemCode,
  detail: string,
  more: { readonly hint?: string; readonly errors?: readonly Fault[]; readonly instance?: string } = {},
): ProblemDocument {
  const { status, title } = PROBLEMS[code]
  return { type: `urn:banyan:problem:${code}`, title, status, code, detail, ...more }
}
