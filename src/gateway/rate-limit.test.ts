import { expect, it } from 'vitest'
import { RateLimit } from './rate-limit.ts'

it('lets a burst of a minute through, then one for each share of the minute', () => {
  const limit = new RateLimit(60)
  const atOnce = Array.from({ length: 61 }, () => limit.take('a', 1_000))
  expect(atOnce).toEqual([...Array(60).fill(0), 1])
  expect(limit.take('a', 1_999)).toBe(1)
  expect(limit.take('a', 2_000)).toBe(0)
  expect(limit.take('a', 2_001)).toBe(1)
  expect(limit.take('b', 2_001)).toBe(0)
})

it('is full again after a quiet minute', () => {
  const limit = new RateLimit(2)
  expect([0, 0, 0].map(() => limit.take('a', 0))).toEqual([0, 0, 30])
  expect([0, 0, 0].map(() => limit.take('a', 200_000))).toEqual([0, 0, 30])
})
