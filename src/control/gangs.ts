import { present } from '../base/index.ts'
import type { Attempt, Workload } from '../model/index.ts'
import { PRIORITY_RANK } from '../model/index.ts'
import type { LiveGang, QueuedGang } from '../scheduler/index.ts'
import type { ControlState } from './state.ts'

/** Replicas the workload should have attempts for: one gang, or the replicas of a `serve` workload. */
export function wantedReplicas(workload: Workload): number {
  return workload.spec.type === 'serve' ? workload.spec.replicas : 1
}

export function queuedGang(workload: Workload, replica: number): QueuedGang {
  const { spec } = workload
  return {
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
    ...(spec.expectedMs !== undefined ? { expectedMs: spec.expectedMs } : {}),
    ...(spec.limitMs !== undefined ? { limitMs: spec.limitMs } : {}),
  }
}

export function liveGang(workload: Workload, attempt: Attempt): LiveGang {
  return {
    ...queuedGang(workload, attempt.replica),
    attempt: attempt.id,
    allocation: attempt.allocation,
    startedAt: attempt.plannedAt,
    stopping: attempt.state === 'stopping',
    ...(attempt.boundMs !== undefined ? { boundMs: attempt.boundMs } : {}),
    ...(attempt.checkpoint ? { checkpointAt: attempt.checkpoint.at } : {}),
  }
}

/** Replicas that have no live attempt though the workload wants them, in order. */
export function missingReplicas(state: ControlState, workload: Workload): number[] {
  if (workload.state === 'stopping') return []
  const live = new Set(
    workload.liveAttempts.map(
      (attempt) => present(state.attempts.get(attempt), `attempt ${attempt}`).replica,
    ),
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
