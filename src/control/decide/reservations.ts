import type { NodeId, ReservationId, TimeMs } from '../../base/index.ts'
import { compareIds, formatDuration } from '../../base/index.ts'
import type { Reservation, ReservationWish } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import { chooseNodes, domainPaths, nodesOfReservation } from '../../scheduler/index.ts'
import type { NewReservation } from '../command.ts'
import type { Rejection } from '../effect.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { badName, NAME } from './names.ts'

/** Names in one message; the rest are counted. */
const NAMED = 5

/** Puts a calendar window on record, with the nodes that it gets. What runs there goes on. */
export function reserve(recorder: Recorder, wanted: NewReservation): Rejection | undefined {
  const reservation = reservationOf(recorder.state, wanted, recorder.now)
  if ('code' in reservation) return reservation
  recorder.emit({ kind: 'reservation-made', reservation })
  return undefined
}

/** The reservation with the nodes that it would get now, or why it cannot be made. */
export function reservationOf(
  state: ControlState,
  wanted: NewReservation,
  now: TimeMs,
): Reservation | Rejection {
  const { wish, ...rest } = wanted
  const window = { ...rest, from: Math.max(rest.from, now) }
  const refusal = checkWindow(state, window, now)
  if (refusal) return refusal
  const nodes = chosen(state, wish, window)
  if ('code' in nodes) return nodes
  const reservation = { ...window, ...nodes }
  return overlapping(state, reservation) ?? reservation
}

export function cancelReservation(recorder: Recorder, id: ReservationId): Rejection | undefined {
  const reservation = recorder.state.reservations.get(id)
  if (!reservation) {
    return {
      code: 'no-such-reservation',
      message: `There is no reservation "${id}"; it may be over already.`,
    }
  }
  recorder.emit(ended(reservation, 'cancelled'))
  return undefined
}

/** Those whose time is over. */
export function endReservations(recorder: Recorder): void {
  for (const reservation of Array.from(recorder.state.reservations.values()))
    if (reservation.to <= recorder.now) recorder.emit(ended(reservation, 'over'), SYSTEM)
}

function ended({ id, owners }: Reservation, how: 'cancelled' | 'over') {
  return { kind: 'reservation-ended', reservation: id, how, ...(owners && { owners }) } as const
}

function checkWindow(
  state: ControlState,
  { id, kind, from, to, owners }: Omit<Reservation, 'nodes'>,
  now: TimeMs,
): Rejection | undefined {
  if (!NAME.test(id)) return badName('reservation', id)
  if (state.reservations.has(id)) {
    return {
      code: 'already-exists',
      message: `There is a reservation "${id}" already. Cancel it first, or choose another name.`,
    }
  }
  if (to <= now) return invalid(`It would have ended ${formatDuration(now - to)} ago. Give a later end.`)
  if (to <= from) return invalid('It would end before it begins. Give an end after its start.')
  const names = [...(owners?.queues ?? []), ...(owners?.users ?? [])]
  if (kind === 'maintenance' && names.length > 0)
    return invalid("Nobody's work runs during maintenance: name no queue or user, or make it a reservation.")
  if (kind === 'reserved' && names.length === 0)
    return invalid('Say for whom it is: a queue or a user. To keep everybody out, make it maintenance.')
  const queue = owners?.queues?.find((name) => !state.queues.has(name))
  if (queue !== undefined)
    return {
      code: 'no-such-queue',
      message: `There is no queue "${queue}". Queues are named organisation or organisation/team.`,
    }
  const user = owners?.users?.find((name) => !state.users.has(name))
  if (user !== undefined) return { code: 'no-such-user', message: `There is no user "${user}".` }
  return undefined
}

function chosen(
  state: ControlState,
  wish: ReservationWish,
  { from, to }: Pick<Reservation, 'from' | 'to'>,
): Pick<Reservation, 'nodes'> | Rejection {
  const { machine } = state.derived
  if (wish.kind === 'nodes') {
    const unknown = wish.nodes.find((node) => !state.nodes.has(node))
    if (unknown !== undefined) return { code: 'no-such-node', message: `There is no node "${unknown}".` }
    if (wish.nodes.length === 0) return invalid('Name at least one node.')
    return { nodes: [...new Set(wish.nodes)].sort(compareIds) }
  }
  const { domain } = wish
  if (domain && nodesOfReservation(machine, { nodes: { domain } }).length === 0) {
    return invalid(
      `There is no domain "${domain.join('/')}" with nodes. Domains: ${some(domainPaths(machine))}.`,
    )
  }
  if (wish.kind === 'domain') return { nodes: { domain: wish.domain } }
  const nodes = chooseNodes(machine, { ...wish, from, to })
  if (nodes) return { nodes }
  const where = domain ? `in ${domain.join('/')}` : 'in the cluster'
  return invalid(
    `There are no ${wish.count} ready nodes of one kind ${where} that nobody has reserved for that time. Ask for fewer, or for another time.`,
  )
}

/** Two reservations of one node at a time would be two promises; maintenance goes before any. */
function overlapping(state: ControlState, { id, kind, from, to, nodes }: Reservation): Rejection | undefined {
  if (kind === 'maintenance') return undefined
  const { machine } = state.derived
  const wanted = new Set<NodeId>(nodesOfReservation(machine, { nodes }))
  for (const other of state.reservations.values()) {
    if (other.kind === 'maintenance' || other.id === id || other.from >= to || other.to <= from) continue
    const both = nodesOfReservation(machine, other).filter((node) => wanted.has(node))
    if (both.length > 0)
      return invalid(
        `At that time ${some(both)} ${both.length === 1 ? 'is' : 'are'} reserved as "${other.id}". Choose other nodes or another time.`,
      )
  }
  return undefined
}

function invalid(message: string): Rejection {
  return { code: 'invalid-reservation', message }
}

function some(names: readonly string[]): string {
  const more = names.length - NAMED
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
