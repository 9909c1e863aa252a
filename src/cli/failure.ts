import { EXIT_CODES, type ExitKind } from '../api/problem.ts'

/** What stops a command: its kind gives the exit status, its text says what was wrong, its hint what to do next. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  readonly kind: ExitKind
  readonly hint: string | undefined

  constructor(kind: ExitKind, message: string, hint?: string) {
    super(message)
    this.kind = kind
    this.hint = hint
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind]
  }
}
