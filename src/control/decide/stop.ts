import type { AttemptId, DurationMs } from '../../base/index.ts'
import { present, SECOND_MS } from '../../base/index.ts'
import type { StopRequest, Workload } from '../../model/index.ts'
import { actorName } from '../../model/index.ts'
import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import { wantedReplicas } from '../gangs.ts'
import type { Recorder } from '../recorder.ts'
import { finish } from './finish.ts'

/** Between SIGTERM and SIGKILL for programs that declare no checkpoint grace of their own. */
const DEFAULT_STOP_GRACE_MS: DurationMs = 10 * SECOND_MS

/** Ends a workload because a person asked: at once when nothing of it runs, else when its attempts have ended. */
export function stop(recorder: Recorder, command: Extract<Command, { kind: 'stop' }>): Rejection | undefined {
  const workload = recorder.state.workloads.get(command.workload)
  if (!workload) {
    return { code: 'no-such-workload', message: `${command.workload} is not live: it has ended already.` }
  }
  const by = `stopped by ${actorName(recorder.actor)}`
  if (workload.liveAttempts.length === 0) {
    finish(recorder, workload, 'cancelled', by)
    return undefined
  }
  if (workload.state !== 'stopping') {
    recorder.emit({ kind: 'workload-stopping', workload: workload.id, reason: by })
  } else if (!command.kill) {
    return {
      code: 'not-allowed-in-state',
      message: `${workload.id} is stopping already. Use --kill to end it without waiting for its grace.`,
    }
  }
  for (const attempt of workload.liveAttempts) {
    stopAttempt(recorder, attempt, {
      reason: 'cancelled',
      graceMs: command.kill ? 0 : graceOf(workload),
      actor: recorder.actor,
    })
  }
  return undefined
}

/** Changes how many replicas a `serve` workload has; the highest numbers go first when it shrinks. */
export function scale(
  recorder: Recorder,
  command: Extract<Command, { kind: 'scale' }>,
): Rejection | undefined {
  const { state } = recorder
  const workload = state.workloads.get(command.workload)
  if (!workload) {
    return { code: 'no-such-workload', message: `${command.workload} is not live: it has ended already.` }
  }
  if (workload.spec.type !== 'serve') {
    return {
      code: 'not-allowed-in-state',
      message: `${workload.id} is of type ${workload.spec.type}; only serve workloads have replicas.`,
    }
  }
  if (workload.state === 'stopping') {
    return { code: 'not-allowed-in-state', message: `${workload.id} is stopping and cannot be scaled.` }
  }
  if (wantedReplicas(workload) === command.replicas) return undefined
  recorder.emit({ kind: 'workload-scaled', workload: workload.id, replicas: command.replicas })
  for (const attempt of workload.liveAttempts) {
    if (present(state.attempts.get(attempt), `attempt ${attempt}`).replica < command.replicas) continue
    stopAttempt(recorder, attempt, {
      reason: 'scaled-down',
      graceMs: graceOf(workload),
      actor: recorder.actor,
    })
  }
  return undefined
}

/** Time the program is given to save its work after SIGTERM. */
export function graceOf(workload: Workload): DurationMs {
  return workload.spec.type === 'train' && workload.spec.checkpoint
    ? workload.spec.checkpoint.graceMs
    : DEFAULT_STOP_GRACE_MS
}

/** Asks for the end of one attempt. One that is stopping already keeps its first reason, and for whom, and is only hurried. */
export function stopAttempt(
  recorder: Recorder,
  attemptId: AttemptId,
  why: Pick<StopRequest, 'reason' | 'graceMs' | 'actor' | 'for' | 'resize'> & { readonly signal?: string },
): void {
  const attempt = present(recorder.state.attempts.get(attemptId), `attempt ${attemptId}`)
  const signal = why.graceMs > 0 ? (why.signal ?? 'SIGTERM') : 'SIGKILL'
  const before = attempt.stop
  const isHurried = before !== undefined && why.reason !== 'cancelled'
  if (isHurried && before.graceMs <= why.graceMs) return
  const first = isHurried ? before : why
  recorder.emit({
    kind: 'attempt-stopping',
    attempt: attempt.id,
    stop: {
      reason: first.reason,
      actor: why.actor,
      at: recorder.now,
      signal,
      graceMs: why.graceMs,
      ...(first.for ? { for: first.for } : {}),
      ...(first.resize ? { resize: first.resize } : {}),
    },
  })
  recorder.effect({ kind: 'stop', attempt: attempt.id, how: { signal, graceMs: why.graceMs } })
}
