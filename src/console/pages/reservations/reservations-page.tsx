import type { ReservationView } from '../../../api/wire/reservation.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { usePlace } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { numberText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { Calendar } from './calendar.tsx'
import { ownersText, ReservationCard } from './reservation-card.tsx'
import { ReserveForm } from './reserve-form.tsx'

const EVERY_MS = 5_000

/** What is kept for whom, and when nobody's work may run where; operators make windows and end them. */
export function ReservationsPage() {
  const { client, who } = useSignedIn()
  const now = useNow(EVERY_MS)
  const chosen = usePlace().params.get('reservation')
  const answer = useAnswer('reservations', (signal) => client.listReservations({}, { signal }), {
    everyMs: EVERY_MS,
  })
  const machine = useAnswer('machine/whole', (signal) => client.getMachine({}, { signal }))
  return (
    <div class="stack">
      <PageHead
        title="Reservations"
        lead="Nodes that are kept for some work, or for none, in a window of time. Work that would run on into a window is not placed there."
      />
      <Answered answer={answer} what="the reservations">
        {({ items }) => {
          const reservation = items.find(({ id }) => id === chosen)
          return (
            <>
              {chosen !== null && !reservation && (
                <p class="stale" role="status">
                  {chosen} is over, was called off, or is not for you to see.
                </p>
              )}
              {items.length === 0 ? (
                <Empty title="Nothing is reserved">
                  <p>Maintenance and what is kept for you will stand here.</p>
                </Empty>
              ) : (
                <>
                  <Answered answer={machine} what="the machine">
                    {(view) => <Calendar reservations={items} machine={view} now={now} />}
                  </Answered>
                  {reservation && (
                    <ReservationCard
                      key={reservation.id}
                      reservation={reservation}
                      now={now}
                      again={answer.again}
                    />
                  )}
                  <List reservations={items} now={now} />
                </>
              )}
            </>
          )
        }}
      </Answered>
      {who.user.role === 'operator' && machine.data && (
        <ReserveForm machine={machine.data} onMade={answer.again} />
      )}
    </div>
  )
}

interface ListProps {
  readonly reservations: readonly ReservationView[]
  readonly now: number
}

function List({ reservations, now }: ListProps) {
  return (
    <DataTable
      caption="Reservations, in order of time"
      rows={reservations}
      keyOf={({ id }) => id}
      columns={[
        {
          title: 'Name',
          isTight: true,
          cell: ({ id }) => <Link to={`/reservations?reservation=${encodeURIComponent(id)}`}>{id}</Link>,
        },
        { title: 'State', isTight: true, cell: ({ state }) => <StateBadge state={state} /> },
        { title: 'From', isTight: true, cell: ({ from }) => <Moment at={from} now={now} /> },
        { title: 'To', isTight: true, cell: ({ to }) => <Moment at={to} now={now} /> },
        { title: 'Nodes', isNumber: true, cell: ({ nodes }) => numberText(nodes.length) },
        {
          title: 'Where',
          isExtra: true,
          cell: ({ domain, nodes }) => (domain ? domain.join(' / ') : nodes.slice(0, 3).join(', ')),
        },
        {
          title: 'For',
          cell: (reservation) =>
            reservation.kind === 'maintenance' ? 'maintenance' : ownersText(reservation),
        },
        {
          title: 'Nodes still busy',
          isNumber: true,
          isExtra: true,
          cell: ({ stillBusyNodes }) => (stillBusyNodes === 0 ? '' : numberText(stillBusyNodes)),
        },
        { title: 'Reason', isExtra: true, cell: ({ reason }) => reason },
      ]}
    />
  )
}
