import type { AttemptId, Draft, TimeMs } from '../../base/index.ts'
import { present, unreachable } from '../../base/index.ts'
import type { Attempt, TimeLeft, Workload } from '../../model/index.ts'
import {
  milliGpusOf,
  moveAttempt,
  moveWorkload,
  stoppedAfterMs,
  timeLeftAfterEnd,
  timeLeftAfterReport,
} from '../../model/index.ts'
import type { Event } from '../event.ts'
import { enqueueMissing, liveAttempt, queuedGang } from '../gangs.ts'
import type { ControlState } from '../state.ts'
import { phasesOf, queueSpan, spansOf } from '../usage-spans.ts'
import { liveWorkload } from './workload.ts'

type AttemptEvent = Extract<
  Event,
  {
    kind:
      | 'attempt-planned'
      | 'attempt-running'
      | 'attempt-stopping'
      | 'attempt-progressed'
      | 'replica-readiness'
      | 'attempt-ended'
      | 'hold-placed'
      | 'hold-released'
  }
>

/** The life of attempts, what it makes of their workload, and the holds that wait for their end. */
export function evolveAttempt(state: ControlState, event: AttemptEvent, at: TimeMs): void {
  const { machine, deadlines } = state.derived
  switch (event.kind) {
    case 'attempt-planned':
      planAttempt(state, event, at)
      return
    case 'attempt-running': {
      const attempt = attemptOf(state, event.attempt)
      moveAttempt(attempt, 'running')
      attempt.runningAt = at
      if (event.address !== undefined) attempt.address = event.address
      const workload = liveWorkload(state, attempt.workload)
      if (workload.spec.type !== 'serve') moveWorkload(workload, 'running', at, '')
      const due = stoppedAfterMs(workload.spec)
      if (due !== undefined) deadlines.push({ at: at + due, attempt: attempt.id })
      return
    }
    case 'attempt-stopping': {
      const attempt = attemptOf(state, event.attempt)
      if (attempt.state !== 'stopping') moveAttempt(attempt, 'stopping')
      attempt.stop = event.stop
      if (attempt.ready) setReady(state, attempt, false, at)
      machine.updateLive(attempt.id, { stopping: true })
      return
    }
    case 'attempt-progressed': {
      const attempt = attemptOf(state, event.attempt)
      const workload = liveWorkload(state, attempt.workload)
      attempt.firstProgress ??= event.progress
      attempt.progress = event.progress
      workload.progress = event.progress
      setTimeLeft(state, workload, timeLeftAfterReport(workload, attempt))
      if (event.firstLoss !== undefined) workload.firstLoss ??= event.firstLoss
      if (event.checkpoint) {
        attempt.checkpoint = event.checkpoint
        workload.checkpoint = event.checkpoint
        machine.updateLive(attempt.id, { checkpointAt: event.checkpoint.at })
      }
      return
    }
    case 'replica-readiness':
      setReady(state, attemptOf(state, event.attempt), event.ready, at)
      return
    case 'attempt-ended':
      endAttempt(state, event, at)
      return
    case 'hold-placed':
      state.holds.set(event.hold.id, event.hold)
      machine.placeHold(event.hold)
      return
    case 'hold-released':
      state.holds.delete(event.hold)
      machine.releaseHold(event.hold)
      return
    default:
      unreachable(event)
  }
}

function attemptOf(state: ControlState, id: AttemptId): Attempt {
  return present(state.attempts.get(id), 'attempt', id)
}

function planAttempt(
  state: ControlState,
  event: Extract<Event, { kind: 'attempt-planned' }>,
  at: TimeMs,
): void {
  const workload = liveWorkload(state, event.workload)
  const { machine } = state.derived
  const attempt: Draft<Attempt> = {
    id: event.attempt,
    workload: workload.id,
    number: event.number,
    replica: event.replica,
    allocation: event.allocation,
    plannedAt: at,
    state: 'starting',
    ready: false,
  }
  const gang = queuedGang(workload, event.replica)
  if (workload.spec.limitMs === undefined) attempt.boundMs = machine.boundMs(gang)
  if (workload.checkpoint) attempt.resumedFromStep = workload.checkpoint.step
  if (workload.cutOff?.includes(event.replica)) {
    attempt.isRestart = true
    setCutOff(workload, event.replica, false)
  }
  state.attempts.set(attempt.id, attempt)
  workload.attemptCount = event.number
  workload.firstStartedAt ??= at
  workload.liveAttempts = [...workload.liveAttempts, attempt.id]
  if (workload.state === 'queued') {
    state.derived.departed.spans.push(...queueSpan(state, workload, at, milliGpusOf(event.allocation)))
    moveWorkload(workload, 'starting', at, '')
  }
  machine.start(gang, liveAttempt(attempt))
}

/** A `serve` workload runs while a replica is ready, and is starting while it has only replicas that are not. */
function setReady(state: ControlState, attempt: Attempt, ready: boolean, at: TimeMs): void {
  attempt.ready = ready
  const workload = liveWorkload(state, attempt.workload)
  if (workload.state === 'stopping') return
  const anyReady = workload.liveAttempts.some((id) => attemptOf(state, id).ready)
  if (anyReady && workload.state === 'starting') moveWorkload(workload, 'running', at, '')
  if (!anyReady && workload.state === 'running') moveWorkload(workload, 'starting', at, 'no replica is ready')
}

function endAttempt(state: ControlState, event: Extract<Event, { kind: 'attempt-ended' }>, at: TimeMs): void {
  const attempt = attemptOf(state, event.attempt)
  const workload = liveWorkload(state, attempt.workload)
  if (attempt.ready) setReady(state, attempt, false, at)
  moveAttempt(attempt, 'ended')
  attempt.endedAt = event.endedAt
  attempt.outcome = event.outcome
  attempt.usage = event.usage
  if (event.failure) attempt.failure = event.failure
  state.attempts.delete(attempt.id)
  const { departed } = state.derived
  departed.attempts.set(attempt.id, attempt)
  const phases = phasesOf(attempt, workload.spec.type, event.endedAt, event.outcome)
  departed.spans.push(...spansOf(state, workload, attempt, phases))
  state.derived.machine.end(attempt.id, at, { completed: event.outcome === 'succeeded' })

  workload.liveAttempts = workload.liveAttempts.filter((id) => id !== attempt.id)
  workload.usage = {
    held: workload.usage.held + event.usage.held,
    billed: workload.usage.billed + event.usage.billed,
    lost: workload.usage.lost + event.usage.lost,
  }
  if (event.outcome === 'platform-failure' || event.outcome === 'preempted') {
    setCutOff(workload, attempt.replica, true)
  }
  if (event.outcome === 'user-failure') workload.userFailures++
  if (event.outcome === 'platform-failure') workload.platformFailures++
  setTimeLeft(state, workload, timeLeftAfterEnd(workload, at))
  if (event.retry) goOn(state, workload, event.retry, at)
  else if (attempt.stop?.reason === 'scaled-down' && isAtRest(workload))
    moveWorkload(workload, 'queued', at, `${attempt.id} was scaled down`)
}

/** Nothing of it runs, though it is meant to go on: the replicas that it keeps are still in line. */
function isAtRest({ state, liveAttempts }: Workload): boolean {
  return state !== 'stopping' && liveAttempts.length === 0
}

function setCutOff(workload: Workload, replica: number, isCutOff: boolean): void {
  const others = (workload.cutOff ?? []).filter((other) => other !== replica)
  const cutOff = isCutOff ? [...others, replica] : others
  if (cutOff.length > 0) workload.cutOff = cutOff
  else delete workload.cutOff
}

function setTimeLeft(state: ControlState, workload: Workload, timeLeft: TimeLeft | undefined): void {
  if (timeLeft) workload.timeLeft = timeLeft
  else if (workload.timeLeft) delete workload.timeLeft
  else return
  for (const live of workload.liveAttempts) state.derived.machine.updateLive(live, { timeLeft })
}

/** The workload queues again for what it lost. */
function goOn(
  state: ControlState,
  workload: Workload,
  retry: NonNullable<Extract<Event, { kind: 'attempt-ended' }>['retry']>,
  at: TimeMs,
): void {
  workload.notBefore = Math.max(workload.notBefore, retry.notBefore)
  workload.avoidedNodes = [...workload.avoidedNodes.filter((avoided) => avoided.until > at), ...retry.avoid]
  for (const live of workload.liveAttempts)
    state.derived.machine.updateLive(live, { avoid: workload.avoidedNodes })
  if (workload.liveAttempts.length === 0) moveWorkload(workload, 'queued', at, retry.reason)
  enqueueMissing(state, workload)
}
