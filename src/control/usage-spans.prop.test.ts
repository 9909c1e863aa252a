import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OUTCOMES, WORKLOAD_TYPES } from '../model/index.ts'
import { phasesOf, usageOf } from './usage-spans.ts'

const moments = fc.record({
  plannedAt: fc.nat(1_000),
  startMs: fc.option(fc.nat(1_000), { nil: undefined }),
  savedAt: fc.option(fc.nat(4_000), { nil: undefined }),
  lengthMs: fc.nat(3_000),
  isRestart: fc.boolean(),
  type: fc.constantFrom(...WORKLOAD_TYPES),
  outcome: fc.option(fc.constantFrom(...OUTCOMES), { nil: undefined }),
})

it('[S7] [C25] phases cover an attempt without a gap, and no time that the platform or other work cost is billed', () => {
  fc.assert(
    fc.property(moments, ({ plannedAt, startMs, savedAt, lengthMs, isRestart, type, outcome }) => {
      const to = plannedAt + lengthMs
      const phases = phasesOf(
        {
          plannedAt,
          ...(startMs === undefined ? {} : { runningAt: plannedAt + startMs }),
          ...(savedAt === undefined ? {} : { checkpoint: { at: savedAt, step: 1, path: '' } }),
          ...(isRestart ? { isRestart: true as const } : {}),
        },
        type,
        to,
        outcome,
      )
      let at = plannedAt
      for (const phase of phases) {
        expect(phase.from).toBe(at)
        expect(phase.to).toBeGreaterThan(phase.from)
        at = phase.to
      }
      expect(phases.length === 0 ? plannedAt + lengthMs : at).toBe(to)
      const usage = usageOf(phases, 8_000)
      expect(usage.held).toBe(8 * lengthMs)
      expect(usage.billed + usage.lost).toBe(usage.held)
      const free = phases.filter(({ cause }) => ['restart', 'platform-failure', 'preempted'].includes(cause))
      expect(usage.lost).toBe(8 * free.reduce((sum, phase) => sum + phase.to - phase.from, 0))
      const everSaved = savedAt !== undefined && savedAt > plannedAt
      if (type === 'train' && (outcome === 'platform-failure' || outcome === 'preempted') && !everSaved) {
        expect(usage.billed).toBe(0)
      }
      if (!isRestart && outcome !== 'platform-failure' && outcome !== 'preempted') expect(usage.lost).toBe(0)
    }),
  )
})
