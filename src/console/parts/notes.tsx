import type { ComponentChildren } from 'preact'
import { ApiProblem } from '../../api/client/api-problem.ts'
import { PROBLEMS } from '../../api/problem.ts'
import type { Answer } from '../core/answer.ts'

/** What stands where something will be. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="note loading" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </p>
  )
}

/** That there is nothing, why that is fine, and what to do to get something. */
export function Empty({
  title,
  children,
}: {
  readonly title: string
  readonly children?: ComponentChildren
}) {
  return (
    <div class="note empty">
      <p class="note-title">{title}</p>
      {children}
    </div>
  )
}

interface ErrorNoteProps {
  readonly error: Error
  readonly again?: () => void
}

/** What went wrong, where, and what to do, in the server's own words. */
export function ErrorNote({ error, again }: ErrorNoteProps) {
  const { hint, errors = [] }: Partial<ApiProblem> = error instanceof ApiProblem ? error : {}
  return (
    <div class="note error" role="alert">
      <p class="note-title">{titleOf(error)}</p>
      <p>{error.message}</p>
      {hint && <p class="muted">{hint}</p>}
      {errors.length > 0 && (
        <ul>
          {errors.map(({ field, line, message }) => (
            <li key={`${field} ${line} ${message}`}>
              {line !== undefined && <span class="muted">line {line} </span>}
              {field && <code>{field}</code>} {message}
            </li>
          ))}
        </ul>
      )}
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

function titleOf(error: Error): string {
  if (!(error instanceof ApiProblem)) return 'Something went wrong'
  return error.code === 'unreachable' ? 'The server does not answer' : PROBLEMS[error.code].title
}

interface AnsweredProps<Value> {
  readonly answer: Answer<Value>
  readonly what: string
  readonly children: (data: Value) => ComponentChildren
}

/** The data when there is any, with a word above it when it could not be renewed; else that it loads, or why not. */
export function Answered<Value>({ answer, what, children }: AnsweredProps<Value>) {
  const { data, error, again } = answer
  if (data === undefined) return error ? <ErrorNote error={error} again={again} /> : <Loading what={what} />
  return (
    <>
      {error && (
        <p class="stale" role="status">
          Not renewed: {error.message}{' '}
          <button type="button" class="plain" onClick={again}>
            Try again
          </button>
        </p>
      )}
      {children(data)}
    </>
  )
}
