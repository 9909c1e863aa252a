import type { Draft } from '../base/index.ts'
import { present } from '../base/index.ts'
import type { Attempt, Workload } from '../model/index.ts'
import { PRIORITY_RANK } from '../model/index.ts'
import type { LiveAttempt, QueuedGang } from '../scheduler/index.ts'
import type { ControlState } from './state.ts'

/** Replicas the workload should have attempts for: one gang, or the replicas of a `serve` workload. */
export function wantedReplicas(workload: Workload): number {
  return workload.spec.type === 'serve' ? workload.spec.replicas : 1
}

export function queuedGang(workload: Workload, replica: number): Draft<QueuedGang> {
  const { spec } = workload
  const gang: Draft<QueuedGang> = {
    workload: workload.id,
    replica,
    queue: workload.queue,
    user: workload.owner.user,
    priority: PRIORITY_RANK[spec.priority],
    submittedAt: workload.submittedAt,
    request: spec.resources,
    preemptible: spec.preemptible,
    notBefore: workload.notBefore,
    waitsFor: workload.waitsFor,
    avoid: workload.avoidedNodes,
    attainedGpuMs: workload.usage.held,
  }
  if (spec.expectedMs !== undefined) gang.expectedMs = spec.expectedMs
  if (spec.limitMs !== undefined) gang.limitMs = spec.limitMs
  if (workload.predictedMs !== undefined) gang.predictedMs = workload.predictedMs
  if (workload.timeLeft !== undefined) gang.timeLeft = workload.timeLeft
  if (spec.onlyNodes) gang.only = spec.onlyNodes
  if (spec.exceptNodes) gang.except = spec.exceptNodes
  return gang
}

export function liveAttempt(attempt: Attempt): LiveAttempt {
  const live: Draft<LiveAttempt> = {
    attempt: attempt.id,
    allocation: attempt.allocation,
    startedAt: attempt.plannedAt,
    stopping: attempt.state === 'stopping',
  }
  if (attempt.boundMs !== undefined) live.boundMs = attempt.boundMs
  if (attempt.checkpoint) live.checkpointAt = attempt.checkpoint.at
  return live
}

/** Replicas that have no live attempt though the workload wants them, in order. */
export function missingReplicas(state: ControlState, workload: Workload): number[] {
  if (workload.state === 'stopping') return []
  // Most workloads are one gang, and this is asked at every submission and end.
  if (workload.spec.type !== 'serve') return workload.liveAttempts.length === 0 ? [0] : []
  const live = new Set(
    workload.liveAttempts.map((attempt) => present(state.attempts.get(attempt), 'attempt', attempt).replica),
  )
  return Array.from({ length: wantedReplicas(workload) }, (_, replica) => replica).filter(
    (replica) => !live.has(replica),
  )
}

/** Puts every missing replica into the scheduler's queue, or brings what stands there up to date. */
export function enqueueMissing(state: ControlState, workload: Workload): void {
  for (const replica of missingReplicas(state, workload)) {
    state.derived.machine.updateQueued(queuedGang(workload, replica))
  }
}
