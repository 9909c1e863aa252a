import type { LogChunkView } from '../../api/index.ts'
import type { AttemptId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { Workload } from '../../model/index.ts'
import { isFinal } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { findWorkload } from '../find.ts'
import { followLogs } from '../log-stream.ts'
import { ProblemError } from '../problem-error.ts'
import { readLog } from '../read-log.ts'
import type { HandlersOf } from './part.ts'

/** The engine's logs never exceed this, so that a negative offset can be resolved by reading on. */
const FAR = Number.MAX_SAFE_INTEGER

export const logHandlers: HandlersOf<'readLog' | 'followLog'> = {
  readLog: async (input, context) => {
    const workload = await findWorkload(context, input.id)
    const attempt = attemptOf(workload, input.attempt)
    if (input.from >= 0) return chunk(context, attempt, input.task, input.from)
    const end = await readLog(context, attempt, input.task, FAR)
    return chunk(context, attempt, input.task, Math.max(0, end.next + input.from))
  },
  followLog: async function* (input, context) {
    const workload = await findWorkload(context, input.id)
    yield* followLogs(context, workload, input)
  },
}

async function chunk(
  context: CallContext,
  attempt: AttemptId,
  task: number,
  from: number,
): Promise<LogChunkView> {
  const { text, next, ended } = await readLog(context, attempt, task, from)
  return { attempt, task, text, from, next, ended }
}

function attemptOf(workload: Workload, number: number | undefined): AttemptId {
  const wanted = number ?? workload.attemptCount
  if (wanted >= 1 && wanted <= workload.attemptCount) return id<AttemptId>(`${workload.id}.${wanted}`)
  if (workload.attemptCount === 0) {
    const next = isFinal(workload.state)
      ? `it was ${workload.state} before it started`
      : `banyan explain ${workload.id} says what it waits for`
    throw new ProblemError('not-found', `${workload.id} has no logs: ${next}.`)
  }
  throw new ProblemError(
    'not-found',
    `${workload.id} has no attempt ${wanted}; it has had ${workload.attemptCount}.`,
  )
}
