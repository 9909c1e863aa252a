import { ApiProblem } from '../../api/client/api-problem.ts'
import { EXIT_CODES } from '../../api/problem.ts'
import { CliFailure } from '../failure.ts'
import { Interrupted, type Io } from '../io.ts'

/** Tells what went wrong and what to do next on standard error, and gives the exit status. */
export function reportError(io: Io, error: unknown, isJson: boolean): number {
  if (error instanceof Interrupted) return 130
  const failure = describe(error)
  if (isJson) {
    const { exitCode: _, ...document } = failure
    io.err(`${JSON.stringify({ error: document }, null, 2)}\n`)
    return failure.exitCode
  }
  const lines = failure.errors.length > 1 ? failure.errors.map(faultLine) : [failure.message]
  io.err(`${lines.map((line) => `banyan: ${line}`).join('\n')}\n`)
  if (failure.hint) io.err(`${failure.hint}\n`)
  return failure.exitCode
}

interface Described {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly errors: ApiProblem['errors']
  readonly exitCode: number
}

function describe(error: unknown): Described {
  if (error instanceof ApiProblem) {
    const { code, message, errors, exitCode } = error
    const hint = error.code === 'unauthenticated' ? TOKEN_HINT : error.hint
    return { code, message, errors, exitCode, ...(hint ? { hint } : {}) }
  }
  if (error instanceof CliFailure) {
    const { kind, message, hint, exitCode } = error
    return { code: kind, message, errors: [], exitCode, ...(hint ? { hint } : {}) }
  }
  const message = error instanceof Error ? error.message : String(error)
  const isSystem = error instanceof Error && 'code' in error && 'syscall' in error
  const stack = error instanceof Error && !isSystem ? error.stack : undefined
  return {
    code: 'internal',
    message,
    errors: [],
    exitCode: EXIT_CODES.internal,
    ...(stack ? { hint: `This is a fault of Banyan itself; please report it.\n${stack}` } : {}),
  }
}

const TOKEN_HINT = 'Set BANYAN_TOKEN to a token of yours; an operator makes one with `banyan tokens issue`.'

function faultLine({ file, line, column, field, message }: ApiProblem['errors'][number]): string {
  const place =
    file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column ?? 1}: `
  return `${place}${field === '' ? '' : `${field}: `}${message}`
}
