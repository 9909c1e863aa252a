import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../../base/units.ts'
import { timeTicks } from './time-ticks.ts'

test.each([
  [0, 10 * HOUR_MS, 12, 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((hour) => hour * HOUR_MS)],
  [HOUR_MS, 3 * DAY_MS, 4, 0, [1, 2, 3].map((day) => day * DAY_MS)],
  // Two hours ahead of UTC, days begin at 22:00 UTC.
  [0, 2 * DAY_MS, 2, -2 * HOUR_MS, [22 * HOUR_MS, 46 * HOUR_MS]],
])('from %d to %d, at most %d, zone %d', (from, to, most, zone, ticks) => {
  expect(timeTicks(from, to, most, zone)).toEqual(ticks)
})
