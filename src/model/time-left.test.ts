import { describe, expect, it } from 'vitest'
import type { Progress, TrainSpec } from './index.ts'
import { timeLeftAfterEnd, timeLeftAfterReport } from './time-left.ts'

const told = (at: number, step: number, totalSteps?: number): Progress => ({
  at,
  step,
  ...(totalSteps !== undefined && { totalSteps }),
})
const spec = { type: 'train' } as TrainSpec
const leftAfter = (
  reports: readonly Progress[],
  before = undefined as ReturnType<typeof timeLeftAfterReport>,
) =>
  timeLeftAfterReport(
    { spec, ...(before && { timeLeft: before }) },
    { firstProgress: reports[0]!, progress: reports.at(-1)! },
  )

describe('how long a run still takes by its reports', () => {
  it('is the steps left at the pace from the first report of the attempt on', () => {
    expect(leftAfter([told(0, 10, 100), told(40, 20, 100)])).toEqual({ ms: 320, at: 40, stepMs: 4 })
  })

  it('is not known from one report alone, without a total, or while no step was made', () => {
    expect(leftAfter([told(0, 10, 100)])).toBeUndefined()
    expect(leftAfter([told(0, 10), told(40, 20)])).toBeUndefined()
    expect(leftAfter([told(0, 10, 100), told(40, 10, 100)])).toBeUndefined()
  })

  it('goes by the planned steps where the program tells no total', () => {
    const planned = { ...spec, planned: { steps: 50 } } as TrainSpec
    const attempt = { firstProgress: told(0, 10), progress: told(40, 20) }
    expect(timeLeftAfterReport({ spec: planned }, attempt)).toMatchObject({ ms: 120 })
    expect(timeLeftAfterReport({ spec: { ...planned, type: 'serve' } as never }, attempt)).toBeUndefined()
  })

  it('follows a total that changes', () => {
    const before = leftAfter([told(0, 10, 100), told(40, 20, 100)])
    expect(leftAfter([told(0, 10, 100), told(80, 30, 50)], before)).toMatchObject({ ms: 80 })
    expect(leftAfter([told(0, 10, 100), told(80, 30)], before)).toBeUndefined()
  })

  it('is told by the last pace until an attempt that goes on from a checkpoint has a pace of its own', () => {
    const before = leftAfter([told(0, 10, 100), told(40, 20, 100)])
    expect(leftAfter([told(1_000, 15, 100)], before)).toEqual({ ms: 340, at: 1_000, stepMs: 4 })
  })

  it('counts from the first report at the total on, whatever the program says after it', () => {
    const before = leftAfter([told(0, 10, 100), told(360, 100, 100)])
    expect(before).toMatchObject({ ms: 0, at: 360 })
    expect(leftAfter([told(0, 10, 100), told(900, 150, 100)], before)).toBe(before)
  })

  it('is all since the newest checkpoint once the attempt has ended, and everything where there is none', () => {
    const timeLeft = { ms: 320, at: 40, stepMs: 4 }
    const progress = told(40, 20, 100)
    expect(
      timeLeftAfterEnd({ spec, timeLeft, progress, checkpoint: { at: 39, step: 18, path: '' } }, 50),
    ).toEqual({
      ms: 328,
      at: 50,
      stepMs: 4,
    })
    expect(timeLeftAfterEnd({ spec, timeLeft, progress }, 50)).toMatchObject({ ms: 400 })
    expect(timeLeftAfterEnd({ spec, progress }, 50)).toBeUndefined()
  })
})
