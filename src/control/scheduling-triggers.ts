import type { EventKind, LoggedEvent } from './event.ts'

/** Events after which another pass could start, hold or evict something. */
const TRIGGERS: ReadonlySet<EventKind> = new Set<EventKind>([
  'workload-submitted',
  'workload-scaled',
  'workload-finished',
  'dependency-met',
  'attempt-ended',
  'node-described',
  'node-moved',
  'node-foreign',
  'queue-set',
  'policy-set',
  'policy-applied',
  'reservation-made',
  'reservation-ended',
])

export function needsPass(events: readonly LoggedEvent[]): boolean {
  return events.some(
    ({ event }) => TRIGGERS.has(event.kind) || (event.kind === 'attempt-progressed' && event.reorders),
  )
}
