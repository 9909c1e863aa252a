import type { AttemptId, DurationMs, TimeMs, WorkloadId } from '../base/index.ts'
import { broken } from '../base/index.ts'
import type { Actor } from './actor.ts'
import type { Allocation } from './allocation.ts'
import type { Failure, Outcome } from './failure.ts'
import type { Resize } from './request.ts'
import type { Checkpoint, Progress, Usage } from './workload.ts'

/**
 * - `starting`: holds its allocation; the engine has been or will be asked to launch it.
 * - `running`: the engine saw all its tasks alive.
 * - `stopping`: the engine has been or will be asked to end it; it still holds its allocation.
 * - `ended`: the engine confirmed that nothing of it can run any more; the allocation is free. Final.
 */
export const ATTEMPT_STATES = ['starting', 'running', 'stopping', 'ended'] as const
export type AttemptState = (typeof ATTEMPT_STATES)[number]

export const ATTEMPT_TRANSITIONS = {
  starting: ['running', 'stopping', 'ended'],
  running: ['stopping', 'ended'],
  stopping: ['ended'],
  ended: [],
} as const satisfies Record<AttemptState, readonly AttemptState[]>

/** Why an attempt is being ended before it ended by itself; it decides the outcome that is recorded. */
export type StopReason = 'cancelled' | 'preempted' | 'resized' | 'time-limit' | 'scaled-down' | 'fenced'

export interface StopRequest {
  readonly reason: StopReason
  readonly actor: Actor
  readonly at: TimeMs
  /** First signal; SIGKILL follows after the grace. */
  readonly signal: string
  readonly graceMs: DurationMs
  /** The workload that the capacity is for, when preempted or resized (S3). */
  readonly for?: WorkloadId
  /** When resized: it starts again at the other size, in place of its allocation. */
  readonly resize?: Resize
}

export interface Attempt {
  readonly id: AttemptId
  readonly workload: WorkloadId
  /** From 1. */
  readonly number: number
  /** Which replica of a `serve` workload, from 0; 0 for others. */
  readonly replica: number
  allocation: Allocation
  readonly plannedAt: TimeMs
  /**
   * How long it was expected to run when it was planned; set where it has no time limit. It is kept because what is
   * expected changes with every run that ends, and a plan must not change by a restart (S10).
   */
  readonly boundMs?: DurationMs
  state: AttemptState
  runningAt?: TimeMs
  endedAt?: TimeMs
  stop?: StopRequest
  outcome?: Outcome
  /** Set when it ended. */
  usage?: Usage
  failure?: Failure
  /** host:port where task 0 was told to listen. */
  address?: string
  /** Whether the replica of a `serve` workload answered its readiness probe last time. */
  ready: boolean
  /** What this attempt reported first: from there on its pace is measured. */
  firstProgress?: Progress
  progress?: Progress
  checkpoint?: Checkpoint
  /** It follows an attempt that the platform or other work cut off, so starting it is not billed (S7). */
  readonly isRestart?: true
  /** Step from which this attempt went on. */
  resumedFromStep?: number
}

/** Milliseconds that a step takes, from this attempt's first report to its newest; undefined while these are one step. */
export function stepMsOf({
  firstProgress,
  progress,
}: Pick<Attempt, 'firstProgress' | 'progress'>): number | undefined {
  if (!firstProgress || !progress) return undefined
  const steps = progress.step - firstProgress.step
  const span = progress.at - firstProgress.at
  return steps > 0 && span > 0 ? span / steps : undefined
}

/** The one place where an attempt's state changes. */
export function moveAttempt(attempt: Attempt, to: AttemptState): void {
  const allowed: readonly AttemptState[] = ATTEMPT_TRANSITIONS[attempt.state]
  if (!allowed.includes(to)) broken(`attempt ${attempt.id}: ${attempt.state} -> ${to}`)
  attempt.state = to
}
