import type { ReservationId } from '../../base/index.ts'
import { compareIds, id, present } from '../../base/index.ts'
import type { Reservation } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { execute } from '../find.ts'
import { ProblemError } from '../problem-error.ts'
import { concerns, newReservation, reservationView } from '../reservations.ts'
import type { HandlersOf } from './part.ts'

export const reservationHandlers: HandlersOf<
  'listReservations' | 'getReservation' | 'makeReservation' | 'cancelReservation'
> = {
  listReservations: async (_input, context) => {
    const { ledger, caller } = context
    const all = [...ledger.state.reservations.values()]
    const theirs = all.filter((reservation) => concerns(ledger.state, caller.user, reservation))
    const inOrder = theirs.sort((a, b) => a.from - b.from || compareIds(a.id, b.id))
    return { items: inOrder.map((reservation) => view(context, reservation)) }
  },
  getReservation: async (input, context) => view(context, find(context, input.id)),
  makeReservation: async (input, context) => {
    const reservation = newReservation(input, context.clock.now())
    await execute(context, { kind: 'reserve', reservation })
    const { reservations } = context.ledger.state
    return view(context, present(reservations.get(reservation.id), `reservation ${reservation.id}`))
  },
  cancelReservation: async (input, context) => {
    const reservation = find(context, input.id)
    const before = view(context, reservation)
    await execute(context, { kind: 'cancel-reservation', reservation: reservation.id })
    return before
  },
}

function view({ ledger, caller, clock }: CallContext, reservation: Reservation) {
  return reservationView(ledger.state, caller.user, reservation, clock.now())
}

function find({ ledger, caller }: CallContext, name: string): Reservation {
  const reservation = ledger.state.reservations.get(id<ReservationId>(name))
  if (reservation && concerns(ledger.state, caller.user, reservation)) return reservation
  throw new ProblemError('not-found', `There is no reservation "${name}".`, {
    hint: 'banyan reservations lists them.',
  })
}
