import { describe, expect, it } from 'vitest'
import { aMachine, aShape, aStrategy } from './planner-fixtures.ts'
import { canCut, checkStrategy } from './strategy.ts'

describe('checkStrategy', () => {
  it('takes what Meta ran Llama 3 405B with (arXiv 2407.21783, table 4)', () => {
    const strategy = aStrategy({ tensor: 8, pipeline: 16, globalBatch: 2048 })
    expect(checkStrategy(aShape('llama3.1-405b'), aMachine('H100', 16_384), strategy).ok).toBe(true)
  })

  it.each([
    [
      'heads by tensor',
      aStrategy({ tensor: 3, globalBatch: 510 }),
      63,
      '32 heads and 8 KV heads are not divisible by tensor 3',
    ],
    [
      'layers by pipeline',
      aStrategy({ pipeline: 5, globalBatch: 480 }),
      80,
      '32 layers are not divisible by pipeline 5',
    ],
    ['GPUs by ranks', aStrategy({ tensor: 8, pipeline: 4 }), 48, '48 GPUs are not divisible'],
    [
      'batch by data ranks',
      aStrategy({ globalBatch: 100 }),
      64,
      'global batch 100 is not divisible by data 64',
    ],
    ['experts of a dense model', aStrategy({ expert: 8 }), 64, 'has no experts'],
    [
      'sequence by context',
      aStrategy({ context: 3, sequence: 8192, globalBatch: 504 }),
      63,
      'sequence 8192 is not divisible by context 3',
    ],
    ['half a rank', aStrategy({ tensor: 0.5 }), 64, 'tensor is 0.5'],
  ])('refuses %s', (_, strategy, gpus, reason) => {
    const checked = checkStrategy(aShape(), aMachine('H100', gpus), strategy)
    expect(checked).toMatchObject({ ok: false, error: expect.stringContaining(reason) })
  })

  it('refuses experts that groups cannot share, and FP8 where there is none', () => {
    const mixtral = checkStrategy(
      aShape('mixtral-8x7b'),
      aMachine(),
      aStrategy({ expert: 3, globalBatch: 64 }),
    )
    expect(mixtral).toMatchObject({
      ok: false,
      error: expect.stringContaining('8 experts are not divisible by expert 3'),
    })
    const ampere = checkStrategy(aShape(), aMachine('A100'), aStrategy({ precision: 'fp8' }))
    expect(ampere).toMatchObject({ ok: false, error: expect.stringContaining('no FP8') })
  })

  it('refuses a machine of several nodes without a network', () => {
    const checked = checkStrategy(aShape(), aMachine('H100', 64, { nicBandwidth: 0 }), aStrategy())
    expect(checked).toMatchObject({ ok: false, error: expect.stringContaining('no network link') })
  })

  it('lets a hand-made layout cut unevenly', () => {
    const strategy = aStrategy({ pipeline: 5, globalBatch: 480 })
    expect(checkStrategy(aShape(), aMachine('H100', 80), strategy, true).ok).toBe(true)
  })
})

describe('canCut', () => {
  it('counts embedding and head as layers where that comes out even', () => {
    expect(canCut(aShape('bloom-176b'), 12, 1)).toBe(true) // 70 layers, 12 stages of 6
    expect(canCut(aShape('llama3.1-405b'), 8, 8)).toBe(true) // 126 layers, 64 chunks of 2
    expect(canCut(aShape('llama3-8b'), 5, 1)).toBe(false)
  })
})
