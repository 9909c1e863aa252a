import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { listOf } from '../wire/primitives.ts'
import { reservation, reservationSettings } from '../wire/reservation.ts'

const read = { scope: 'cluster', role: 'viewer' } as const
const operate = { scope: 'cluster', role: 'operator' } as const
const params = z.object({ id: z.string().min(1).max(63) })

export const reservationRoutes = {
  listReservations: {
    method: 'GET',
    path: '/v1/reservations',
    tag: 'scheduling',
    summary: 'Reservations that concern the caller, and maintenance; in order of time',
    access: read,
    statuses: [200],
    produces: json(named('ReservationList', 'Those that are not over.', listOf(reservation))),
    problems: [],
  },
  getReservation: {
    method: 'GET',
    path: '/v1/reservations/{id}',
    tag: 'scheduling',
    summary: 'One reservation',
    access: read,
    params,
    statuses: [200],
    produces: json(reservation),
    problems: ['not-found'],
  },
  makeReservation: {
    method: 'POST',
    path: '/v1/reservations',
    tag: 'scheduling',
    summary: 'Keep nodes for some work, or for maintenance, in a window of time',
    description:
      'Nothing is stopped: work whose time limit would reach into the window is no longer placed there, and what ' +
      'runs on into it is named in `stillBusy`.',
    access: operate,
    body: reservationSettings,
    statuses: [201],
    produces: json(reservation),
    problems: ['not-found', 'already-exists', 'storage-full', 'unavailable'],
  },
  cancelReservation: {
    method: 'DELETE',
    path: '/v1/reservations/{id}',
    tag: 'scheduling',
    summary: 'End a reservation, or call it off',
    access: operate,
    params,
    statuses: [200],
    produces: json(reservation),
    problems: ['not-found', 'storage-full', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
