import type { Impact } from '../api/index.ts'
import type { CallContext } from './context.ts'
import { ProblemError } from './problem-error.ts'
export async function whatIf(_context: CallContext, _edits: unknown): Promise<Impact> {
  throw new ProblemError('unsupported', 'not yet')
}
