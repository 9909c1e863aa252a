import { useState } from 'preact/hooks'
import type { ReservationView } from '../../../api/wire/reservation.ts'
import type { Impact } from '../../../api/wire/what-if.ts'
import { formatDuration } from '../../../base/units.ts'
import { setParams } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { useTask } from '../../core/task.ts'
import { countText } from '../../core/values.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Fact } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { ImpactView } from '../../parts/impact.tsx'
import { Link } from '../../parts/link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { NodeLinks } from '../../parts/node-links.tsx'
import { ErrorNote } from '../../parts/notes.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'

interface Props {
  readonly reservation: ReservationView
  readonly now: number
  readonly again: () => void
}

const NODES_SHOWN = 12
const WORKLOADS_SHOWN = 8

/** One reservation: when, where, for whom, and whose work is in its way; operators end it or call it off. */
export function ReservationCard({ reservation, now, again }: Props) {
  const { who } = useSignedIn()
  const [isAsked, setAsked] = useState(false)
  const { id, kind, state, from, to, nodes, missingNodes, reason, stillBusyNodes } = reservation
  const works = worksIn(reservation)
  return (
    <section class="card" aria-label={`Reservation ${id}`}>
      <header>
        <h2>{id}</h2>
        <StateBadge state={state} />
        {who.user.role === 'operator' && (
          <button type="button" class="danger" onClick={() => setAsked(true)}>
            {state === 'open' ? 'End it' : 'Call it off'}
          </button>
        )}
        <button
          type="button"
          class="plain"
          aria-label="Close"
          onClick={() => setParams({ reservation: undefined })}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="card-body stack">
        <p class="reason">{reason}</p>
        <dl class="facts">
          <Fact title={state === 'open' ? 'Opened' : 'Opens'}>
            <Moment at={from} now={now} />
          </Fact>
          <Fact title="Ends">
            <Moment at={to} now={now} /> <span class="muted">{formatDuration(to - from)} long</span>
          </Fact>
          <Fact title="For">{kind === 'maintenance' ? 'nobody' : ownersText(reservation)}</Fact>
          <Fact title="Nodes">
            {countText(nodes.length, 'node')}{' '}
            {missingNodes > 0 && <span class="muted">and {missingNodes} that are gone</span>}
          </Fact>
        </dl>
        <p>
          <NodeLinks names={nodes} shown={NODES_SHOWN} />
        </p>
        {stillBusyNodes > 0 && (
          <div>
            <h3>
              {countText(stillBusyNodes, 'node')}{' '}
              {state === 'open' ? 'with work of others' : 'may have work of others when it opens'}
            </h3>
            <p class="hint">Nothing is stopped for a reservation; these end by themselves, or by a person.</p>
            <ul class="holders">
              {works.slice(0, WORKLOADS_SHOWN).map(({ workload, attempts, endsAt }) => (
                <li key={workload}>
                  <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link>
                  {attempts > 1 && ` with ${countText(attempts, 'attempt')}`}
                  {endsAt === undefined ? (
                    ', no time limit'
                  ) : (
                    <>
                      {' '}
                      ends at the latest <Moment at={endsAt} now={now} />
                    </>
                  )}
                </li>
              ))}
              {works.length > WORKLOADS_SHOWN && <li>and {works.length - WORKLOADS_SHOWN} more</li>}
            </ul>
          </div>
        )}
      </div>
      {isAsked && <CancelDialog reservation={reservation} again={again} onClose={() => setAsked(false)} />}
    </section>
  )
}

interface Work {
  readonly workload: string
  readonly attempts: number
  /** When the last of its attempts ends; undefined where one has no limit. */
  readonly endsAt: number | undefined
}

/** Whose work is in the way, each workload once. */
function worksIn({ stillBusy }: ReservationView): Work[] {
  const works = new Map<string, Work>()
  for (const { workload, endsAt } of stillBusy) {
    const before = works.get(workload)
    works.set(workload, {
      workload,
      attempts: (before?.attempts ?? 0) + 1,
      endsAt: before ? laterOf(before.endsAt, endsAt) : endsAt,
    })
  }
  return [...works.values()]
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b)
}

export function ownersText({ owners }: ReservationView): string {
  const names = [...(owners?.queues ?? []), ...(owners?.users ?? []).map((user) => `@${user}`)]
  return names.join(', ') || 'others'
}

interface CancelProps {
  readonly reservation: ReservationView
  readonly again: () => void
  readonly onClose: () => void
}

function CancelDialog({ reservation: { id, state }, again, onClose }: CancelProps) {
  const { client } = useSignedIn()
  const preview = useTask<Impact>()
  const cancelling = useTask<ReservationView>()
  const word = state === 'open' ? 'End it' : 'Call it off'
  return (
    <Dialog title={`${word}: ${id}?`} onClose={onClose}>
      <p>Its nodes take any work again.</p>
      {cancelling.error && <ErrorNote error={cancelling.error} />}
      {preview.error && <ErrorNote error={preview.error} />}
      {preview.result && <ImpactView impact={preview.result} />}
      <div class="row">
        <button
          type="button"
          disabled={preview.isBusy}
          onClick={() =>
            preview.run(() => client.askWhatIf({ edits: [{ kind: 'cancel-reservation', reservation: id }] }))
          }
        >
          {preview.isBusy ? 'Trying …' : 'Try it first'}
        </button>
        <button
          type="button"
          class="danger"
          disabled={cancelling.isBusy}
          onClick={() =>
            cancelling.run(async () => {
              const cancelled = await client.cancelReservation({ id })
              setParams({ reservation: undefined })
              again()
              return cancelled
            })
          }
        >
          {word}
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </Dialog>
  )
}
