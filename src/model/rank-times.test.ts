import { expect, test } from 'vitest'
import { LEAST_STRAGGLER_REPORTS, medianOf, stragglersOf } from './rank-times.ts'

const reports = LEAST_STRAGGLER_REPORTS

test.each([
  { computeMs: [100, 100, 100, 100], slow: [] },
  { computeMs: [100, 109, 100, 100], slow: [] },
  { computeMs: [100, 111, 100, 100], slow: [1] },
  { computeMs: [100, 120, 100, 150, 100], slow: [3, 1] },
  { computeMs: [100, 200], slow: [1] },
  { computeMs: [100], slow: [] },
  { computeMs: [0, 0, 0], slow: [] },
  { computeMs: [], slow: [] },
])('of ranks that compute for $computeMs ms, $slow are stragglers', ({ computeMs, slow }) => {
  expect(stragglersOf({ computeMs, reports }).ranks).toEqual(slow)
})

test('a few reports make no straggler', () => {
  expect(stragglersOf({ computeMs: [100, 900, 100], reports: reports - 1 }).ranks).toEqual([])
})

test('the median is between the middle two of an even number', () => {
  expect([[], [3], [9, 1], [5, 1, 3]].map(medianOf)).toEqual([0, 3, 5, 3])
})
