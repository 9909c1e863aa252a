import type { TimeMs } from '../base/index.ts'
import { type Attempt, stepMsOf } from './attempt.ts'
import type { Progress, TimeLeft, Workload } from './workload.ts'
import type { WorkloadSpec } from './workload-spec.ts'

/**
 * After a report of an attempt: by its pace from its first report to this one, else by the last that was measured. Undefined where no pace
 * is known, or no total is told or planned. Of reports of a program that is at its total or beyond, the first counts: time shows that they are wrong.
 */
export function timeLeftAfterReport(
  { timeLeft: before, spec }: Pick<Workload, 'timeLeft' | 'spec'>,
  attempt: Pick<Attempt, 'firstProgress' | 'progress'>,
): TimeLeft | undefined {
  const { progress } = attempt
  const total = totalSteps(spec, progress)
  const stepMs = stepMsOf(attempt) ?? before?.stepMs
  if (!progress || !total || stepMs === undefined) return undefined
  const ms = Math.round(Math.max(0, total - progress.step) * stepMs)
  return ms === 0 && before?.ms === 0 ? before : { ms, at: progress.at, stepMs }
}

/** After an attempt has ended without the workload: from its newest checkpoint on, or from the beginning. */
export function timeLeftAfterEnd(
  { timeLeft, spec, progress, checkpoint }: Pick<Workload, 'timeLeft' | 'spec' | 'progress' | 'checkpoint'>,
  at: TimeMs,
): TimeLeft | undefined {
  const total = totalSteps(spec, progress)
  if (!timeLeft || !total) return undefined
  const { stepMs } = timeLeft
  const steps = Math.max(0, total - (checkpoint?.step ?? 0))
  return { ms: Math.round(steps * stepMs), at, stepMs }
}

/** Of a program that trains: as it tells, else as it was planned. */
function totalSteps(spec: WorkloadSpec, progress: Progress | undefined): number | undefined {
  return spec.type === 'train' ? (progress?.totalSteps ?? spec.planned?.steps) : undefined
}
