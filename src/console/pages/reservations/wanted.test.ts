import { expect, test } from 'vitest'
import { HOUR_MS } from '../../../base/units.ts'
import { settingsOf, type Wanted } from './wanted.ts'

const WANTED: Wanted = {
  id: 'demo',
  kind: 'reserved',
  where: 'count',
  count: '16',
  domain: 'site-1/pod-1',
  nodes: 'n1, n2',
  from: '',
  length: '4h',
  owners: 'atlas, @ada borealis/search',
  reason: 'a show',
}
const common = { id: 'demo', reason: 'a show', durationMs: 4 * HOUR_MS }

test('so many nodes of a domain, from now, for queues and users', () => {
  expect(settingsOf(WANTED)).toEqual({
    ...common,
    kind: 'reserved',
    count: 16,
    domain: ['site-1', 'pod-1'],
    owners: { queues: ['atlas', 'borealis/search'], users: ['ada'] },
  })
})

test('maintenance of named nodes is nobody’s; its time is in the zone of the reader', () => {
  const from = '2030-01-02T03:04'
  expect(settingsOf({ ...WANTED, kind: 'maintenance', where: 'nodes', from })).toEqual({
    ...common,
    kind: 'maintenance',
    nodes: ['n1', 'n2'],
    from: new Date(2030, 0, 2, 3, 4).getTime(),
  })
})

test('a length that is none is told', () => {
  expect(settingsOf({ ...WANTED, length: 'long' })).toMatch(/"long" is not a duration/)
})
