import type { DurationMs, TimeMs } from '../../base/index.ts'

/** One job as a trace tells it. */
export interface TraceJob {
  readonly id: string
  readonly submitMs: TimeMs
  /** GPUs in all; below 1 it is a share of one GPU. */
  readonly gpus: number
  /** Whole nodes of its gang, where the trace counts in nodes. */
  readonly nodes?: number
  /** Run time with all GPUs at full speed, without starting. */
  readonly durationMs: DurationMs
  readonly tenant: string
  readonly user?: string
  /** What its user said it would take, where the trace has it. */
  readonly limitMs?: DurationMs
}

/** Jobs in order of submission, ties in the file's order. */
export interface JobTrace {
  /** When the trace's second 0 was, in milliseconds since 1970; absent when nobody said. */
  readonly epochMs?: TimeMs
  readonly jobs: readonly TraceJob[]
  /** Rows that ask for nothing that can be simulated, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

/** The tenant of rows that name none. */
export const NO_TENANT = 'nobody'

export function inSubmitOrder(jobs: TraceJob[]): TraceJob[] {
  // Array.prototype.sort is stable, so ties keep the file's order.
  return jobs.sort((a, b) => a.submitMs - b.submitMs)
}

/** A clip of a trace: submissions from `from` to before `to`, in its own milliseconds. */
export function clipTrace(trace: JobTrace, from: TimeMs, to: TimeMs): JobTrace {
  return { ...trace, jobs: trace.jobs.filter(({ submitMs }) => submitMs >= from && submitMs < to) }
}
