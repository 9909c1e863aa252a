import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

test('one point tells no rate', () => {
  const pace = new Pace()
  pace.add({ at: 0, step: 1, totalSteps: 10, tokens: 100 })
  expect([pace.stepsPerSecond, pace.tokensPerSecond, pace.remainingMs]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('rates and the rest follow from what was reported', () => {
  const pace = new Pace()
  pace.add({ at: 0, step: 0, totalSteps: 10, tokens: 0 })
  pace.add({ at: 2_000, step: 4, totalSteps: 10, tokens: 4_096 })
  expect([pace.stepsPerSecond, pace.tokensPerSecond, pace.remainingMs]).toEqual([2, 2_048, 3_000])
})

test('what is long past no longer counts', () => {
  const pace = new Pace()
  pace.add({ at: 0, step: 0 })
  for (let second = 1; second <= 60; second++)
    pace.add({ at: second * 1_000, step: second <= 30 ? second : 30 + (second - 30) * 5 })
  expect(pace.stepsPerSecond).toBe(5)
})

test('a program that went back to a checkpoint begins anew', () => {
  const pace = new Pace()
  pace.add({ at: 0, step: 0 })
  pace.add({ at: 1_000, step: 100 })
  pace.add({ at: 2_000, step: 50 })
  expect(pace.stepsPerSecond).toBeUndefined()
  pace.add({ at: 3_000, step: 60 })
  expect(pace.stepsPerSecond).toBe(10)
})
