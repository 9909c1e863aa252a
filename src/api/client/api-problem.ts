import {
  EXIT_CODES,
  type ExitKind,
  type Fault,
  PROBLEM_CODES,
  PROBLEMS,
  type ProblemCode,
  type ProblemDocument,
  problem,
} from '../problem.ts'

/** Thrown by the client: what the server answered, or that it could not be asked. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly code: ProblemCode | 'unreachable'
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  readonly hint: string | undefined
  readonly errors: readonly Fault[]
  readonly exit: ExitKind
  /** Seconds to wait before the next try, where the server named them. */
  readonly retryAfterSeconds: number | undefined

  private constructor(
    code: ProblemCode | 'unreachable',
    status: number,
    detail: string,
    more: {
      hint?: string
      errors?: readonly Fault[]
      cause?: unknown
      retryAfterSeconds?: number | undefined
    },
  ) {
    super(detail, { cause: more.cause })
    this.code = code
    this.status = status
    this.hint = more.hint
    this.errors = more.errors ?? []
    this.exit = code === 'unreachable' ? 'unreachable' : PROBLEMS[code].exit
    this.retryAfterSeconds = more.retryAfterSeconds
  }

  static unreachable(baseUrl: string, cause: unknown): ApiProblem {
    return new ApiProblem('unreachable', 0, `no answer from Banyan at ${baseUrl}: ${reasonOf(cause)}`, {
      hint: 'Check that the server runs (`banyan up` starts one here) and that the address is right.',
      cause,
    })
  }

  static async fromResponse(response: Response): Promise<ApiProblem> {
    const text = await response.text().catch(() => '')
    const document = problemIn(text) ?? foreignProblem(response, text)
    const { code, detail, ...more } = document
    return new ApiProblem(code, response.status, detail, {
      ...more,
      retryAfterSeconds: secondsOf(response.headers.get('retry-after')),
    })
  }

  /** Exit status for the command line. */
  get exitCode(): number {
    return EXIT_CODES[this.exit]
  }

  /** Whether the same request may succeed a little later. */
  get isTransient(): boolean {
    return this.code === 'unreachable' || this.code === 'unavailable' || this.code === 'too-many-requests'
  }
}

function problemIn(text: string): ProblemDocument | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProblemDocument>
    const known = (PROBLEM_CODES as readonly unknown[]).includes(value.code)
    return known && typeof value.detail === 'string' ? (value as ProblemDocument) : undefined
  } catch {
    return undefined
  }
}

const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'wrong-state',
  413: 'too-large',
  422: 'invalid-request',
  429: 'too-many-requests',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

/** An answer that is not one of our problem documents: the gateway's, in OpenAI's form, or a proxy's. */
function foreignProblem(response: Response, text: string): ProblemDocument {
  const code = CODE_OF_STATUS[response.status] ?? 'internal'
  return problem(
    code,
    openAiMessage(text) ?? `HTTP ${response.status} from ${response.url}: ${text.slice(0, 300)}`,
  )
}

function openAiMessage(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}

function secondsOf(header: string | null): number | undefined {
  const seconds = Number(header)
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** `fetch failed` says nothing; the reason stands in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  if (cause instanceof Error) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
    if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)'
    if (code === 'ENOTFOUND') return 'no host of that name (ENOTFOUND)'
    return code ? `${cause.message || code} (${code})` : cause.message
  }
  return error.message
}
