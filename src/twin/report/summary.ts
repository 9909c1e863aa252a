import type { TimeMs } from '../../base/index.ts'
import type { JobRecord } from './job-log.ts'

/** The figures of one run that can be told from virtual time alone. */
export interface Summary {
  readonly jobs: number
  readonly meanCompletionS: number
  readonly meanQueueS: number
  readonly p90QueueS: number
  readonly p99QueueS: number
  /** From the first submission to the last end, or to the horizon where work was left. */
  readonly makespanS: number
  /** Share of the fleet's GPU-time that attempts held in that span. */
  readonly utilisation: number
  readonly preemptions: number
}

/** Figures over the jobs that ended; a job's queue time is all the time it had no attempt. */
export function summarise(
  jobs: readonly JobRecord[],
  fleet: {
    readonly gpuCount: number
    readonly heldGpuMs: number
    /** From the first submission of anything. */
    readonly sinceMs: TimeMs
    readonly untilMs: TimeMs
  },
): Summary {
  const ended = jobs.filter((job): job is JobRecord & { endedAt: TimeMs } => job.endedAt !== undefined)
  const queued = ended.map((job) => job.queuedMs).sort((a, b) => a - b)
  const spanMs = fleet.untilMs - fleet.sinceMs
  return {
    jobs: ended.length,
    meanCompletionS: mean(ended.map((job) => job.endedAt - job.submittedAt)) / 1000,
    meanQueueS: mean(queued) / 1000,
    p90QueueS: quantile(queued, 0.9) / 1000,
    p99QueueS: quantile(queued, 0.99) / 1000,
    makespanS: spanMs / 1000,
    utilisation: spanMs > 0 ? fleet.heldGpuMs / (fleet.gpuCount * spanMs) : 0,
    preemptions: jobs.reduce((sum, job) => sum + job.preemptions, 0),
  }
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The value below which this share of the sorted values lies, between neighbours by linear interpolation. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const below = sorted[low]!
  return below + (at - low) * ((sorted[low + 1] ?? below) - below)
}
