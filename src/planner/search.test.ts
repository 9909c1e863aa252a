import { describe, expect, it } from 'vitest'
import { resolveConstants } from './calibration.ts'
import { aMachine, aShape, aStrategy } from './planner-fixtures.ts'
import { branches, estimateStep, leaves, type SearchInput, search } from './search.ts'
import { checkStrategy } from './strategy.ts'

const input: SearchInput = {
  shape: aShape('llama3-70b'),
  machine: aMachine('H100', 128),
  globalBatch: 256,
  precision: 'bf16',
}

describe('search', () => {
  it('finds what working out every strategy finds', () => {
    const constants = resolveConstants(input.machine.gpu)
    const limit = input.machine.gpu.memoryBytes * 0.94
    const all = branches(input, constants)
      .flatMap((branch) => [...leaves(input, branch.strategy)])
      .map((strategy) => estimateStep(input.shape, input.machine, strategy, constants))
    const fitting = all.filter(({ memory }) => memory.total <= limit)
    fitting.sort((a, b) => a.step.total - b.step.total)
    const found = search({ ...input, keep: 10 })
    expect(found.considered).toBe(all.length)
    expect(found.evaluated).toBeLessThan(all.length)
    expect(found.best.map(({ step }) => step.total)).toEqual(
      fitting.slice(0, 10).map(({ step }) => step.total),
    )
  })

  it('returns strategies that pass the check, best first', () => {
    const { best } = search(input)
    for (const { strategy } of best) expect(checkStrategy(input.shape, input.machine, strategy).ok).toBe(true)
    const times = best.map(({ step }) => step.total)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(best).toHaveLength(5)
  })

  it('keeps to what is fixed', () => {
    const { best } = search({ ...input, fixed: { tensor: 8, pipeline: 2, recompute: 'full' } })
    for (const { strategy } of best)
      expect(strategy).toMatchObject({ tensor: 8, pipeline: 2, recompute: 'full' })
  })

  it('says what comes nearest when nothing fits', () => {
    const found = search({ ...input, machine: aMachine('H100', 8), globalBatch: 8 })
    expect(found.best).toEqual([])
    expect(found.nearest?.memory.total).toBeGreaterThan(80 * 2 ** 30)
  })

  it('gives the same answer twice', () => {
    expect(search(input)).toEqual(search(input))
  })

  it('estimates one strategy as the search does', () => {
    const [first] = search(input).best
    const again = estimateStep(input.shape, input.machine, first!.strategy)
    expect(again.step.total).toBeCloseTo(first!.step.total, 12)
    expect(estimateStep(aShape(), aMachine('H100', 8), aStrategy()).step.total).toBeGreaterThan(0)
  })
})
