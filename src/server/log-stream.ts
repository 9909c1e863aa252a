import type { LogChunkView } from '../api/index.ts'
import type { AttemptId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Attempt, Workload } from '../model/index.ts'
import { isFinal, taskCount } from '../model/index.ts'
import type { CallContext } from './context.ts'
import { ProblemError } from './problem-error.ts'
import { readLog } from './read-log.ts'

interface Wanted {
  readonly attempt?: number | undefined
  readonly task?: number | undefined
  readonly tail?: number | undefined
}

type Streamed =
  | { readonly type: 'log'; readonly id: string; readonly data: LogChunkView }
  | { readonly type: 'end'; readonly id: string; readonly data: { readonly reason: string } }

/** Engines write logs to files, which tell nobody that they grew; this is how often a quiet one is looked at. */
const POLL_MS = 250

/** Where a reader stands: the attempt, and the next byte of each of its tasks. */
interface Position {
  attempt: number
  readonly offsets: Map<number, number>
}

/**
 * The logs of a workload as they grow: of the wanted attempt, or of one after the other until the workload is
 * final. The id of each event is the position after it, from which a later call goes on.
 */
export async function* followLogs(
  context: CallContext,
  workload: Workload,
  wanted: Wanted,
): AsyncGenerator<Streamed> {
  const resumed = parsePosition(context.lastEventId)
  const position = resumed ?? {
    attempt: wanted.attempt ?? Math.max(1, workload.attemptCount),
    offsets: new Map(),
  }
  if (wanted.attempt !== undefined && wanted.attempt > workload.attemptCount) {
    throw new ProblemError(
      'not-found',
      `${workload.id} has no attempt ${wanted.attempt}; it has had ${workload.attemptCount}.`,
    )
  }
  let tail = resumed ? undefined : wanted.tail
  while (!context.signal.aborted) {
    const attempt = await findAttempt(context, workload, position.attempt)
    if (attempt) {
      yield* followAttempt(context, attempt, tasksOf(workload, attempt, wanted.task), position, tail)
      if (context.signal.aborted) return
    }
    const now = context.ledger.state.workloads.get(workload.id) ?? (await context.store.workload(workload.id))
    const exhausted = !now || (isFinal(now.state) && position.attempt >= now.attemptCount)
    if (wanted.attempt !== undefined || exhausted) {
      const reason = wanted.attempt === undefined ? (now?.state ?? 'gone') : 'the attempt has ended'
      yield { type: 'end', id: formatPosition(position), data: { reason } }
      return
    }
    if (attempt && position.attempt < (now?.attemptCount ?? 0)) {
      position.attempt++
      position.offsets.clear()
      tail = undefined
    } else {
      await pause(context.signal)
    }
  }
}

async function* followAttempt(
  context: CallContext,
  attempt: Attempt,
  tasks: readonly number[],
  position: Position,
  tail: number | undefined,
): AsyncGenerator<Streamed> {
  const open = new Set(tasks)
  if (tail !== undefined) await startAtTail(context, attempt.id, tasks, position, tail)
  while (open.size > 0 && !context.signal.aborted) {
    let grew = false
    for (const task of open) {
      const from = position.offsets.get(task) ?? 0
      const { text, next, ended } = await readLog(context, attempt.id, task, from)
      position.offsets.set(task, next)
      if (ended) open.delete(task)
      if (next === from) continue
      grew = true
      yield {
        type: 'log',
        id: formatPosition(position),
        data: { attempt: attempt.id, task, text, from, next, ended },
      }
    }
    const isOver = !context.ledger.state.attempts.has(attempt.id)
    if (isOver && !grew) return
    if (!grew) await pause(context.signal)
  }
}

async function startAtTail(
  context: CallContext,
  attempt: AttemptId,
  tasks: readonly number[],
  position: Position,
  tail: number,
): Promise<void> {
  for (const task of tasks) {
    const end = await readLog(context, attempt, task, Number.MAX_SAFE_INTEGER)
    position.offsets.set(task, Math.max(0, end.next - tail))
  }
}

async function findAttempt(
  context: CallContext,
  workload: Workload,
  number: number,
): Promise<Attempt | undefined> {
  const wanted = id<AttemptId>(`${workload.id}.${number}`)
  const live = context.ledger.state.attempts.get(wanted)
  if (live) return live
  return (await context.store.attempts(workload.id)).find((attempt) => attempt.id === wanted)
}

function tasksOf(workload: Workload, attempt: Attempt, task: number | undefined): number[] {
  const count = taskCount(workload.spec.program, attempt.allocation)
  if (task === undefined) return Array.from({ length: count }, (_, rank) => rank)
  if (task < count) return [task]
  throw new ProblemError('not-found', `${attempt.id} has tasks 0 to ${count - 1}, not ${task}.`)
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, POLL_MS)
    signal.addEventListener('abort', done)
  })
}

/** `2/0:4096,1:512`: attempt 2, byte 4096 of task 0, byte 512 of task 1. */
function formatPosition({ attempt, offsets }: Position): string {
  return `${attempt}/${[...offsets].map(([task, offset]) => `${task}:${offset}`).join(',')}`
}

function parsePosition(text: string | undefined): Position | undefined {
  const match = text === undefined ? null : /^(\d+)\/((?:\d+:\d+,?)*)$/.exec(text)
  if (!match) return undefined
  const offsets = new Map<number, number>()
  for (const pair of (match[2] ?? '').split(',').filter(Boolean)) {
    const [task, offset] = pair.split(':').map(Number)
    offsets.set(task ?? 0, offset ?? 0)
  }
  return { attempt: Number(match[1]), offsets }
}
