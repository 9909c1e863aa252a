import type { Draft, DurationMs, NodeId, TimeMs } from '../../base/index.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { Attempt, AvoidedNode, Failure, Outcome, Workload } from '../../model/index.ts'
import { milliGpusOf } from '../../model/index.ts'
import type { AttemptEnd } from '../classify-exit.ts'
import { classifyExit } from '../classify-exit.ts'
import type { Event } from '../event.ts'
import { liveWorkload } from '../evolve/workload.ts'
import type { Recorder } from '../recorder.ts'
import { phasesOf, usageOf } from '../usage-spans.ts'
import { finish } from './finish.ts'
import { settleDrained } from './nodes.ts'
import { limitMessage } from './tick.ts'

/** How long a node that failed an attempt is kept from that workload (S7). */
const AVOID_MS: DurationMs = HOUR_MS
const FIRST_BACKOFF_MS: DurationMs = SECOND_MS
const LONGEST_BACKOFF_MS: DurationMs = 5 * MINUTE_MS

/** An engine that ends tasks without being told, and without saying why, is at fault itself. */
const STOPPED_UNASKED: Verdict = {
  outcome: 'platform-failure',
  failure: { class: 'stopped-by-engine', message: 'the engine ended it unasked and gave no reason' },
}

interface End extends AttemptEnd {
  readonly at: TimeMs
}

interface Verdict {
  readonly outcome: Outcome
  readonly failure?: Failure
}

/** Records the engine's word that an attempt has ended, and what follows for its workload. */
export function endAttempt(recorder: Recorder, attempt: Attempt, end: End): void {
  const workload = liveWorkload(recorder.state, attempt.workload)
  const verdict = judge(recorder, attempt, workload, end)
  // Engines have clocks of their own; an end before the start or after now would make usage negative or unbounded.
  const endedAt = Math.min(Math.max(end.at, attempt.plannedAt), recorder.now)
  const next = whatFollows(recorder, workload, attempt, verdict)
  const ended: Draft<Extract<Event, { kind: 'attempt-ended' }>> = {
    kind: 'attempt-ended',
    attempt: attempt.id,
    endedAt,
    outcome: verdict.outcome,
    usage: usageOf(
      phasesOf(attempt, workload.spec.type, endedAt, verdict.outcome),
      milliGpusOf(attempt.allocation),
    ),
  }
  if (verdict.failure) ended.failure = verdict.failure
  if (next.kind === 'retry') ended.retry = next
  recorder.emit(ended)
  if (next.kind === 'finish') {
    finish(recorder, workload, next.state, next.reason)
  }
  settleDrained(recorder, attempt.allocation)
}

/** A program that was told to end has the outcome of the telling, unless it finished its work first. */
function judge(recorder: Recorder, attempt: Attempt, workload: Workload, end: AttemptEnd): Verdict {
  const seen = classifyExit(end, recorder.failureClasses)
  const stop = attempt.stop
  if (!stop) return seen.outcome === 'cancelled' ? STOPPED_UNASKED : seen
  const finishedItsWork =
    workload.spec.type === 'train' && seen.outcome === 'succeeded' && end.exits.every((exit) => !exit.stopped)
  if (finishedItsWork) return seen
  switch (stop.reason) {
    case 'cancelled':
    case 'scaled-down':
      return { outcome: 'cancelled' }
    case 'preempted':
    case 'resized':
    case 'fenced':
      return { outcome: 'preempted' }
    case 'time-limit':
      // Who is warned before the limit may end well before it.
      if (workload.spec.warning && end.exits.every(({ exitCode }) => exitCode === 0))
        return { outcome: 'succeeded' }
      return {
        outcome: 'user-failure',
        failure: { class: 'time-limit', message: limitMessage(workload.spec.limitMs ?? 0) },
      }
  }
}

type Next =
  | { kind: 'retry'; notBefore: TimeMs; avoid: readonly AvoidedNode[]; reason: string }
  | { kind: 'finish'; state: 'succeeded' | 'failed' | 'cancelled'; reason: string }
  | { kind: 'nothing' }

function whatFollows(recorder: Recorder, workload: Workload, attempt: Attempt, verdict: Verdict): Next {
  const { outcome, failure } = verdict
  const last = workload.liveAttempts.every((id) => id === attempt.id)
  if (workload.state === 'stopping') {
    if (!last) return { kind: 'nothing' }
    if (outcome === 'succeeded') return { kind: 'finish', state: 'succeeded', reason: '' }
    return { kind: 'finish', state: 'cancelled', reason: workload.stateReason }
  }
  if (attempt.stop?.reason === 'scaled-down') return { kind: 'nothing' }
  const serves = workload.spec.type === 'serve'
  const reason = failure ? `${attempt.id}: ${failure.message}` : ''
  switch (outcome) {
    case 'succeeded':
      if (!serves) return { kind: 'finish', state: 'succeeded', reason: '' }
      return retry(recorder, workload.userFailures, [], `${attempt.id} exited; a replica is meant to stay up`)
    case 'preempted':
      return {
        kind: 'retry',
        notBefore: recorder.now,
        avoid: [],
        reason: whyAgain(attempt),
      }
    case 'platform-failure': {
      if (workload.platformFailures >= workload.spec.retry.platform) {
        return {
          kind: 'finish',
          state: 'failed',
          reason: `${reason} (after ${workload.platformFailures + 1} platform failures)`,
        }
      }
      const avoid = failure?.node ? avoidance(recorder, workload, attempt, failure.node) : []
      // An attempt that ran for long shows that starting again works: failures months apart do not add up to a wait.
      const ranMs = recorder.now - (attempt.runningAt ?? recorder.now)
      const failuresBefore = ranMs > LONGEST_BACKOFF_MS ? 0 : workload.platformFailures
      return retry(recorder, failuresBefore, avoid, reason)
    }
    case 'user-failure': {
      const limitReached = failure?.class === 'time-limit'
      if (limitReached || workload.userFailures >= workload.spec.retry.user) {
        return { kind: 'finish', state: 'failed', reason }
      }
      return retry(recorder, workload.userFailures, [], reason)
    }
    case 'cancelled':
      return { kind: 'finish', state: 'cancelled', reason }
  }
}

/** For whom it went stands in the stop request, which the server shows to those who may know. */
function whyAgain({ id, stop }: Attempt): string {
  if (!stop?.resize) return `${id} made room for other work`
  const { from, to } = stop.resize
  return `${id} ended to ${to > from ? 'grow' : 'shrink'} from ${from} to ${to}`
}

/** Where too few other nodes are left to take the gang, waiting for them would cost more than trying again. */
function avoidance(recorder: Recorder, workload: Workload, attempt: Attempt, node: NodeId): AvoidedNode[] {
  const avoided = new Set(
    workload.avoidedNodes.filter(({ until }) => until > recorder.now).map(({ node }) => node),
  )
  let others = 0
  for (const other of recorder.state.nodes.keys()) if (other !== node && !avoided.has(other)) others++
  if (others < attempt.allocation.parts.length) return []
  return [{ node, until: recorder.now + AVOID_MS }]
}

/** Each failure doubles the wait before the next attempt, up to a bound. */
function retry(
  recorder: Recorder,
  failuresBefore: number,
  avoid: readonly AvoidedNode[],
  reason: string,
): Next {
  const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failuresBefore, 20), LONGEST_BACKOFF_MS)
  return { kind: 'retry', notBefore: recorder.now + backoffMs, avoid, reason }
}
