import type { TimeMs } from '../base/index.ts'
import { type Attempt, stepMsOf } from './attempt.ts'
import type { TimeLeft, Workload } from './workload.ts'

/**
 * After a report of an attempt: by its pace from its first report to this one, else by the last that was measured. Undefined where no pace
 * is known or no total is told. Of reports of a program that is at its total or beyond, the first counts: time shows that they are wrong.
 */
export function timeLeftAfterReport(
  before: TimeLeft | undefined,
  attempt: Pick<Attempt, 'firstProgress' | 'progress'>,
): TimeLeft | undefined {
  const { progress } = attempt
  const stepMs = stepMsOf(attempt) ?? before?.stepMs
  if (!progress?.totalSteps || stepMs === undefined) return undefined
  const ms = Math.round(Math.max(0, progress.totalSteps - progress.step) * stepMs)
  return ms === 0 && before?.ms === 0 ? before : { ms, at: progress.at, stepMs }
}

/** After an attempt has ended without the workload: from its newest checkpoint on, or from the beginning. */
export function timeLeftAfterEnd(
  { timeLeft, progress, checkpoint }: Pick<Workload, 'timeLeft' | 'progress' | 'checkpoint'>,
  at: TimeMs,
): TimeLeft | undefined {
  if (!timeLeft || !progress?.totalSteps) return undefined
  const { stepMs } = timeLeft
  const steps = Math.max(0, progress.totalSteps - (checkpoint?.step ?? 0))
  return { ms: Math.round(steps * stepMs), at, stepMs }
}
