import { expect, test } from 'vitest'
import { ok } from '../../base/index.ts'
import { parseBegin } from './begin.ts'

const NOW = new Date(2026, 10, 28, 21, 15, 30).getTime()
const at = (...parts: [number, number, number, number?, number?, number?]) => ok(new Date(...parts).getTime())

test.each([
  ['now+1hour', ok(NOW + 3_600_000)],
  ['now+90', ok(NOW + 90_000)],
  ['now+2days', ok(NOW + 2 * 86_400_000)],
  ['tomorrow', at(2026, 10, 29)],
  ['noon', at(2026, 10, 29, 12)],
  ['22:00', at(2026, 10, 28, 22)],
  ['16:00', at(2026, 10, 29, 16)],
  ['11:30pm', at(2026, 10, 28, 23, 30)],
  ['2027-01-20', at(2027, 0, 20)],
  ['2027-01-20T12:34:56', at(2027, 0, 20, 12, 34, 56)],
  ['01/20/27', at(2027, 0, 20)],
  ['1224', at(2026, 11, 24)],
])('%s is a moment to come', (text, moment) => {
  expect(parseBegin(text, NOW)).toEqual(moment)
})

test.each(['now', 'today', '2026-01-20'])('%s has come', (text) => {
  expect(parseBegin(text, NOW)).toEqual(ok(undefined))
})

test.each(['soon', '25:00', '2026-02-31', 'now+1fortnight', ''])('"%s" is none', (text) => {
  expect(parseBegin(text, NOW)).toMatchObject({ ok: false })
})
