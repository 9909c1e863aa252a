import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import type { Recorder } from '../recorder.ts'

/** Records a change of a replica's readiness. */
export function probe(
  recorder: Recorder,
  command: Extract<Command, { kind: 'probe' }>,
): Rejection | undefined {
  const attempt = recorder.state.attempts.get(command.attempt)
  if (attempt?.state !== 'running' || attempt.ready === command.ready) return undefined
  recorder.emit({
    kind: 'replica-readiness',
    attempt: attempt.id,
    ready: command.ready,
    detail: command.detail,
  })
  return undefined
}
