import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveConstants } from './calibration.ts'
import type { Gpu, Machine } from './gpu.ts'
import { aMachine, aShape, aStrategy } from './planner-fixtures.ts'
import { stepSeconds } from './step.ts'
import { checkStrategy, type Strategy } from './strategy.ts'

const models = [
  'llama3-8b',
  'gpt3-175b',
  'mixtral-8x7b',
  'deepseek-v3',
  'nemotron-h-56b',
  'gpt-oss-120b',
] as const

const cases = fc
  .record({
    model: fc.constantFrom(...models),
    gpu: fc.constantFrom('A100', 'H100', 'B200', 'GB200'),
    gpus: fc.constantFrom(8, 64, 512),
    tensor: fc.constantFrom(1, 2, 4, 8),
    context: fc.constantFrom(1, 2),
    pipeline: fc.constantFrom(1, 2, 4),
    expert: fc.constantFrom(1, 4, 8),
    microBatch: fc.constantFrom(1, 2),
    sharding: fc.constantFrom(0 as const, 1 as const, 3 as const),
    recompute: fc.constantFrom('none' as const, 'full' as const),
  })
  .map(({ model, gpu, gpus, ...fields }) => ({
    shape: aShape(model),
    machine: aMachine(gpu, gpus),
    strategy: aStrategy({ ...fields, globalBatch: 1024, sequence: 4096 }),
  }))
  .filter(({ shape, machine, strategy }) => checkStrategy(shape, machine, strategy, true).ok)

const time = (shape: ReturnType<typeof aShape>, machine: Machine, strategy: Strategy) =>
  stepSeconds(shape, machine, strategy, resolveConstants(machine.gpu))

const faster = (machine: Machine, changes: Partial<Gpu>, links: Partial<Machine> = {}): Machine => ({
  ...machine,
  ...links,
  gpu: { ...machine.gpu, ...changes },
})

describe('stepSeconds', () => {
  it('is positive in all its parts, which add up to the total', () => {
    fc.assert(
      fc.property(cases, ({ shape, machine, strategy }) => {
        const { total, ...parts } = time(shape, machine, strategy)
        for (const part of Object.values(parts)) expect(part).toBeGreaterThanOrEqual(0)
        expect(Object.values(parts).reduce((a, b) => a + b) / total).toBeCloseTo(1, 9)
      }),
    )
  })

  it('never takes longer with more bandwidth, more FLOP/s or a wider NVLink domain', () => {
    fc.assert(
      fc.property(
        cases,
        fc.double({ min: 1, max: 4, noNaN: true }),
        ({ shape, machine, strategy }, factor) => {
          const before = time(shape, machine, strategy).total
          const { gpu } = machine
          const better = [
            faster(machine, {}, { nicBandwidth: machine.nicBandwidth * factor }),
            faster(machine, { nvlinkBandwidth: gpu.nvlinkBandwidth * factor }),
            faster(machine, { memoryBandwidth: gpu.memoryBandwidth * factor }),
            faster(machine, { flops: { ...gpu.flops, bf16: gpu.flops.bf16 * factor } }),
            faster(machine, {}, { nvlinkDomain: machine.nvlinkDomain * 8 }),
          ]
          for (const other of better)
            expect(time(shape, other, strategy).total).toBeLessThanOrEqual(before * (1 + 1e-9))
        },
      ),
    )
  })

  it('takes longer for a larger batch and for recomputation', () => {
    fc.assert(
      fc.property(cases, ({ shape, machine, strategy }) => {
        const before = time(shape, machine, strategy).total
        expect(time(shape, machine, { ...strategy, globalBatch: 2048 }).total).toBeGreaterThan(before)
        const full = time(shape, machine, { ...strategy, recompute: 'full' }).total
        // Where the network sets the pace, recomputation hides behind it.
        if (strategy.recompute === 'none') expect(full).toBeGreaterThanOrEqual(before * (1 - 1e-9))
      }),
    )
  })
})
