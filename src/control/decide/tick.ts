import { formatDuration } from '../../base/index.ts'
import { SYSTEM } from '../../model/index.ts'
import type { Rejection } from '../effect.ts'
import { liveWorkload } from '../evolve/workload.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { endReservations } from './reservations.ts'
import { graceOf, stopAttempt } from './stop.ts'

/** Ends the attempts that have used up their time limit, and the reservations whose time is over. */
export function tick(recorder: Recorder): Rejection | undefined {
  const { deadlines } = recorder.state.derived
  for (let next = deadlines.peek(); next && next.at <= recorder.now; next = deadlines.peek()) {
    deadlines.pop()
    const attempt = recorder.state.attempts.get(next.attempt)
    if (!attempt || attempt.state === 'stopping') continue
    const workload = liveWorkload(recorder.state, attempt.workload)
    const { warning } = workload.spec
    stopAttempt(recorder, attempt.id, {
      reason: 'time-limit',
      graceMs: warning?.beforeMs ?? graceOf(workload),
      ...(warning && { signal: warning.signal }),
      actor: SYSTEM,
    })
  }
  endReservations(recorder)
  return undefined
}

/** When `tick` next has something to do, or undefined. */
export function nextDeadline(state: ControlState): number | undefined {
  let next = nextLimit(state)
  for (const { to } of state.reservations.values()) if (next === undefined || to < next) next = to
  return next
}

function nextLimit(state: ControlState): number | undefined {
  const { deadlines } = state.derived
  for (let next = deadlines.peek(); next; next = deadlines.peek()) {
    if (state.attempts.has(next.attempt)) return next.at
    deadlines.pop()
  }
  return undefined
}

/** What a person reads when the limit was reached. */
export function limitMessage(limitMs: number): string {
  return `reached its time limit of ${formatDuration(limitMs)}; raise time.limit, or resubmit to go on from the last checkpoint`
}
