import type { AttemptId } from '../base/index.ts'
import type { LogChunk } from '../control/index.ts'
import type { CallContext } from './context.ts'
import { ProblemError } from './problem-error.ts'

/** A task's log from there on; throws the problem `unavailable` where the engine, who has it, cannot be asked. */
export async function readLog(
  { engine, log }: CallContext,
  attempt: AttemptId,
  task: number,
  from: number,
): Promise<LogChunk> {
  try {
    return await engine.logs(attempt, task, from)
  } catch (error) {
    log.warn({ err: error, attempt, task }, 'a log could not be read')
    const why = error instanceof Error ? error.message : String(error)
    throw new ProblemError('unavailable', `The log cannot be read now: ${why}.`, {
      hint: 'What runs is not touched by it. Try again in a moment.',
    })
  }
}
