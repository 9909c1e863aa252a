import fc from 'fast-check'
import { expect, it } from 'vitest'
import { id } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/index.ts'
import { type Run, settle, timeLeft, timeToSave } from './run.ts'

function aRun(
  saveEveryUs: number | undefined,
  saveUs: number,
  workUs: number,
  speed: number,
  scale = 1,
): Run {
  return {
    attempt: id('w1.1'),
    order: {} as LaunchOrder,
    behaviour: {
      workUs,
      startUs: 0,
      saveUs,
      savesWhenTold: true,
      ...(saveEveryUs !== undefined ? { saveEveryUs } : {}),
    },
    state: 'running',
    launchedAt: 0,
    settledAt: 0,
    resumedUs: 0,
    doneUs: 0,
    savedUs: 0,
    phaseUs: 0,
    speed,
    scale,
    slowedUs: 0,
    savingUs: 0,
    hungUs: 0,
  }
}

/** The same progress, microsecond by microsecond. */
function slow(saveEveryUs: number, saveUs: number, workUs: number, speeds: readonly number[]) {
  let done = 0
  let saved = 0
  let savedAt: number | undefined
  let phase = 0
  let at = 0
  for (const speed of speeds) {
    if (phase < saveEveryUs) done = Math.min(workUs, done + speed)
    phase++
    at++
    if (phase === saveEveryUs + saveUs) {
      saved = done
      savedAt = at
      phase = 0
    }
  }
  return { done, saved, savedAt, phase }
}

it('[T6] [T28] progress over many checkpoints and changes of speed is that of the slow way, step by step', () => {
  const spans = fc.array(
    fc.record({ span: fc.integer({ min: 1, max: 40 }), speed: fc.constantFrom(0, 0.5, 1) }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  const scales = fc.constantFrom(0.25, 1, 2)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.nat(4),
      spans,
      scales,
      (saveEvery, save, segments, scale) => {
        const workUs = 1e9
        const run = aRun(saveEvery, save, workUs, 1, scale)
        const speeds: number[] = []
        let now = 0
        for (const { span, speed } of segments) {
          run.speed = speed
          now += span
          settle(run, now)
          speeds.push(...Array.from({ length: span }, () => speed * scale))
        }
        const expected = slow(saveEvery, save, workUs, speeds)
        expect(run.doneUs).toBeCloseTo(expected.done, 6)
        expect(run.savedAt).toBe(expected.savedAt)
        expect(run.savedUs).toBeCloseTo(expected.saved, 6)
        expect(run.phaseUs).toBe(expected.phase)
        expect(timeToSave(run)).toBe(saveEvery + save - expected.phase)
      },
    ),
  )
})

it('[T6] the time left is when the work is done, not a microsecond before', () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      fc.nat(4),
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom(0.25, 0.5, 1),
      fc.nat(30),
      (saveEvery, save, work, speed, head) => {
        const run = aRun(saveEvery, save, work, speed)
        settle(run, Math.min(head, timeLeft(run)))
        const left = timeLeft(run)
        const before = structuredClone(run)
        settle(run, run.settledAt + left)
        expect(run.doneUs).toBe(work)
        if (left === 0) return
        settle(before, before.settledAt + left - 1)
        expect(before.doneUs).toBeLessThan(work)
      },
    ),
  )
})
