import { expect, test } from 'vitest'
import type { MachineView } from '../../../api/wire/machine.ts'
import type { ReservationView } from '../../../api/wire/reservation.ts'
import { rowsOf } from './windows.ts'

const node = (id: string, domain: number): MachineView['nodes'][number] => ({
  id,
  domain,
  kind: 0,
  state: 'ready',
  held: [],
})
const machine = {
  levels: ['site', 'block', 'node'],
  domains: [
    ['s', 'b1'],
    ['s', 'b2'],
  ],
  nodes: [node('n1', 0), node('n2', 0), node('n3', 1)],
}

function aReservation(id: string, from: number, to: number, nodes: readonly string[]): ReservationView {
  return {
    id,
    kind: 'reserved',
    reason: '',
    state: 'planned',
    from,
    to,
    nodes: [...nodes],
    missingNodes: 0,
    stillBusy: [],
    stillBusyNodes: 0,
  }
}

const shape = (rows: ReturnType<typeof rowsOf>) =>
  rows.map(({ path, nodes, windows, laneCount }) => [
    path.join('/'),
    nodes,
    laneCount,
    windows.map(({ reservation, nodes: held, lane }) => `${reservation.id} ${held} lane ${lane}`),
  ])

const reservations = [
  aReservation('b', 5, 20, ['n1', 'n3']),
  aReservation('a', 0, 10, ['n1', 'n2']),
  aReservation('c', 10, 30, ['n2', 'gone']),
]

test('each domain of a level has its windows, those at the same time in lanes of their own', () => {
  expect(shape(rowsOf(reservations, machine, 'block'))).toEqual([
    ['s/b1', 2, 2, ['a 2 lane 0', 'b 1 lane 1', 'c 1 lane 0']],
    ['s/b2', 1, 1, ['b 1 lane 0']],
  ])
})

test('by site all stand in one row, by node each in its own', () => {
  expect(shape(rowsOf(reservations, machine, 'site'))).toEqual([
    ['s', 3, 2, ['a 2 lane 0', 'b 2 lane 1', 'c 1 lane 0']],
  ])
  expect(rowsOf(reservations, machine, 'node').map(({ path }) => path.at(-1))).toEqual(['n1', 'n2', 'n3'])
})

test('where nothing is reserved there is no row', () => {
  expect(rowsOf([], machine, 'block')).toEqual([])
})
