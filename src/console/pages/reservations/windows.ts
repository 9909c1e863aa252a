import type { MachineView } from '../../../api/wire/machine.ts'
import type { ReservationView } from '../../../api/wire/reservation.ts'

/** A reservation as far as it stands in one domain. */
export interface Window {
  readonly reservation: ReservationView
  readonly nodes: number
  /** Windows of one row that overlap in time stand in lanes of their own. */
  readonly lane: number
}

/** One domain, or node, with the windows in it. */
export interface Row {
  /** Path from the outermost level. */
  readonly path: readonly string[]
  readonly nodes: number
  readonly windows: readonly Window[]
  readonly laneCount: number
}

type Where = Pick<MachineView, 'levels' | 'domains' | 'nodes'>

/** The domains of a level in which something is reserved, in the order of the machine, each with its windows. */
export function rowsOf(
  reservations: readonly ReservationView[],
  { levels, domains, nodes }: Where,
  level: string,
): Row[] {
  const depth = levels.indexOf(level) + 1
  const pathOf = new Map(
    nodes.map(({ id, domain }) => [id, [...(domains[domain] ?? []), id].slice(0, depth)] as const),
  )
  const rows = new Map<
    string,
    { path: readonly string[]; nodes: number; held: Map<ReservationView, number> }
  >()
  for (const path of pathOf.values()) {
    const key = path.join('/')
    const row = rows.get(key)
    if (row) row.nodes++
    else rows.set(key, { path, nodes: 1, held: new Map() })
  }
  for (const reservation of reservations) {
    for (const node of reservation.nodes) {
      const row = rows.get(pathOf.get(node)?.join('/') ?? '')
      if (row) row.held.set(reservation, (row.held.get(reservation) ?? 0) + 1)
    }
  }
  return [...rows.values()]
    .filter(({ held }) => held.size > 0)
    .map(({ path, nodes: count, held }) => ({ path, nodes: count, ...inLanes(held) }))
}

/** Each window in the first lane that is free when it opens. */
function inLanes(held: ReadonlyMap<ReservationView, number>): Pick<Row, 'windows' | 'laneCount'> {
  const freeAt: number[] = []
  const windows = [...held]
    .toSorted(([a], [b]) => a.from - b.from || a.to - b.to)
    .map(([reservation, nodes]): Window => {
      const free = freeAt.findIndex((at) => at <= reservation.from)
      const lane = free < 0 ? freeAt.length : free
      freeAt[lane] = reservation.to
      return { reservation, nodes, lane }
    })
  return { windows, laneCount: freeAt.length }
}
