import type { ContractOf, HandlerInput, ReservationView } from '../api/index.ts'
import type { NodeId, QueueId, ReservationId, TimeMs, UserId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { ControlState, NewReservation } from '../control/index.ts'
import type { Reservation, ReservationOwners, ReservationWish, User } from '../model/index.ts'
import { maySee } from '../model/index.ts'
import { nodesOfReservation, othersWorkIn } from '../scheduler/index.ts'
import { ProblemError } from './problem-error.ts'
import { organisationOfQueue } from './views.ts'

type Settings = HandlerInput<ContractOf<'makeReservation'>>

/** The settings as control takes them; throws a problem where they say too little or too much. */
export function newReservation(settings: Settings, now: TimeMs): NewReservation {
  const { from = now, to, durationMs, owners } = settings
  if ((to === undefined) === (durationMs === undefined)) {
    throw new ProblemError(
      'invalid-request',
      'A reservation has an end, `to`, or a length, `durationMs`: give one.',
    )
  }
  return {
    id: id<ReservationId>(settings.id),
    kind: settings.kind,
    from,
    to: to ?? from + durationMs!,
    reason: settings.reason,
    wish: wishOf(settings),
    ...(owners && {
      owners: {
        ...(owners.queues && { queues: owners.queues.map((queue) => id<QueueId>(queue)) }),
        ...(owners.users && { users: owners.users.map((user) => id<UserId>(user)) }),
      },
    }),
  }
}

function wishOf({ nodes, domain, count }: Settings): ReservationWish {
  if (nodes) {
    if (!domain && count === undefined) return { kind: 'nodes', nodes: nodes.map((node) => id<NodeId>(node)) }
    throw new ProblemError(
      'invalid-request',
      'Nodes are named by `nodes` or chosen by `domain` and `count`, not both.',
    )
  }
  if (count !== undefined) return { kind: 'count', count, ...(domain && { domain }) }
  if (domain) return { kind: 'domain', domain }
  throw new ProblemError('invalid-request', 'Say which nodes: `nodes`, `domain` or `count`.')
}

/** Maintenance concerns everybody; what is kept for somebody concerns their organisation and operators (S9). */
export function concerns(
  state: ControlState,
  user: User,
  { owners }: { readonly owners?: ReservationOwners },
): boolean {
  if (user.role === 'operator' || !owners) return true
  const { queues, users } = ownersAsSeen(state, user, owners)
  return queues.length + users.length > 0
}

/** Those of the owners that the reader may know of. */
export function ownersAsSeen(
  state: ControlState,
  reader: User,
  owners: ReservationOwners,
): { queues: QueueId[]; users: UserId[] } {
  const { role, organisation } = reader
  const isTheirs = (name: string | undefined) => role === 'operator' || name === organisation
  return {
    queues: (owners.queues ?? []).filter((queue) => isTheirs(organisationOfQueue(queue))),
    users: (owners.users ?? []).filter((name) => isTheirs(state.users.get(name)?.organisation)),
  }
}

/** A reservation as the API shows it to this reader, who may see it. */
export function reservationView(
  state: ControlState,
  reader: User,
  reservation: Reservation,
  now: TimeMs,
): ReservationView {
  const { machine } = state.derived
  const { id, kind, from, to, reason, nodes, owners } = reservation
  const there = nodesOfReservation(machine, reservation)
  const busy = othersWorkIn(machine, reservation, now)
  const visible = busy.filter(({ workload }) => {
    const owner = state.workloads.get(workload)?.owner
    return owner !== undefined && maySee(reader, owner)
  })
  return {
    id,
    kind,
    reason,
    state: from > now ? 'planned' : 'open',
    from,
    to,
    ...('domain' in nodes ? { domain: nodes.domain } : {}),
    nodes: there,
    missingNodes: 'domain' in nodes ? 0 : nodes.length - there.length,
    ...(owners && { owners: ownersAsSeen(state, reader, owners) }),
    stillBusy: visible.map(({ workload, attempt, endsAt }) => ({
      workload,
      attempt,
      ...(endsAt !== undefined && { endsAt: Math.round(endsAt) }),
    })),
    stillBusyNodes: new Set(busy.flatMap(({ nodes }) => nodes)).size,
  }
}
