import { describeEvent } from '../../../api/known-event.ts'
import type { AttemptView } from '../../../api/wire/attempt.ts'
import type { LoggedEventView } from '../../../api/wire/event.ts'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { formatDuration } from '../../../base/units.ts'
import { isFinal } from '../../../model/workload.ts'
import { momentText } from '../../core/values.ts'
import { Moment } from '../../parts/moment.tsx'
import { Loading } from '../../parts/notes.tsx'

interface Props {
  readonly workload: WorkloadView
  readonly attempts: readonly AttemptView[]
  readonly events: readonly LoggedEventView[]
  readonly now: number
}

interface Stretch {
  readonly from: number
  readonly to: number
  readonly kind: string
  readonly text: string
}

const MOST_EVENTS = 200

/** The whole life as one line: when it waited, when it ran and how that ended; below it what happened, newest first. */
export function LifeLine({ workload, attempts, events, now }: Props) {
  const stretches = stretchesOf(workload, attempts, now)
  const begin = workload.submittedAt
  const end = Math.max(stretches.at(-1)?.to ?? now, begin + 1)
  const told = events.filter(
    ({ event }) => event.kind !== 'attempt-progressed' && event.kind !== 'start-forecast',
  )
  return (
    <section class="card" aria-label="Life">
      <header>
        <h2>Life</h2>
        <span class="muted">{formatDuration(end - begin)} since it was submitted</span>
      </header>
      <div class="card-body stack">
        <ol class="life">
          {stretches.map(({ from, to, kind, text }) => (
            <li
              key={`${kind} ${from}`}
              class={kind}
              style={{ flexGrow: Math.max((to - from) / (end - begin), 0.004) }}
              title={`${text}, ${formatDuration(to - from)}, from ${momentText(from)}`}
            >
              <span>
                {text} {formatDuration(to - from)}
              </span>
            </li>
          ))}
        </ol>
        {events.length === 0 && <Loading what="what happened" />}
        <ul class="happened">
          {told
            .slice(-MOST_EVENTS)
            .reverse()
            .map((logged) => (
              <li key={logged.sequence}>
                <Moment at={logged.at} now={now} />
                <span title={describeEvent(logged)}>{describeEvent(logged)}</span>
              </li>
            ))}
        </ul>
      </div>
    </section>
  )
}

/** Waiting, and each attempt by how it ended; where replicas run beside each other, the first of them stand for all. */
function stretchesOf(workload: WorkloadView, attempts: readonly AttemptView[], now: number): Stretch[] {
  const stretches: Stretch[] = []
  let at = workload.submittedAt
  for (const attempt of attempts.filter(({ replica }) => replica === 0)) {
    if (attempt.plannedAt > at)
      stretches.push({ from: at, to: attempt.plannedAt, kind: 'waits', text: 'waited' })
    const running = attempt.runningAt ?? attempt.endedAt ?? now
    if (running > attempt.plannedAt)
      stretches.push({ from: attempt.plannedAt, to: running, kind: 'starts', text: 'started' })
    const end = attempt.endedAt ?? now
    if (end > running)
      stretches.push({ from: running, to: end, kind: attempt.outcome ?? 'runs', text: textOf(attempt) })
    at = Math.max(at, end)
  }
  if (!isFinal(workload.state) && attempts.every(({ state }) => state === 'ended') && now > at)
    stretches.push({ from: at, to: now, kind: 'waits', text: 'waits' })
  return stretches
}

function textOf({ number, outcome, failure }: AttemptView): string {
  if (outcome === undefined) return `attempt ${number} runs`
  return `attempt ${number}: ${failure ? failure.class : outcome}`
}
