import { describe, expect, it } from 'vitest'
import { modelByName, modelNames } from './catalogue.ts'
import { countParameters } from './parameters.ts'

function shape(name: string) {
  const found = modelByName(name)
  if (!found.ok) throw new Error(found.error)
  return found.value
}

describe('countParameters', () => {
  // Counts that the models' own checkpoints report.
  it.each([
    ['gpt2', 124_439_808],
    ['llama2-7b', 6_738_415_616],
    ['llama2-13b', 13_015_864_320],
    ['llama2-70b', 68_976_648_192],
    ['llama3-8b', 8_030_261_248],
    ['llama3-70b', 70_553_706_496],
    ['llama3.1-405b', 405_853_388_800],
    ['llama3.2-1b', 1_235_814_400],
    ['llama3.2-3b', 3_212_749_824],
    ['tinyllama-1.1b', 1_100_048_384],
    ['mistral-7b', 7_241_732_096],
    ['mixtral-8x7b', 46_702_792_704],
    ['mixtral-8x22b', 140_630_071_296],
    ['qwen2.5-7b', 7_615_616_512],
    ['qwen2.5-72b', 72_706_203_648],
    ['qwen3-30b-a3b', 30_532_122_624],
    ['qwen3-235b-a22b', 235_093_634_560],
    ['deepseek-v2-lite', 15_706_484_224],
    ['deepseek-v3', 671_026_404_352],
    ['pythia-1.4b', 1_414_647_808],
  ])('%s has %d parameters', (name, parameters) => {
    expect(countParameters(shape(name)).total).toBe(parameters)
  })

  // Papers and model cards print these rounded.
  it.each([
    ['gpt3-175b', 174.6, 174.6],
    ['bloom-176b', 176.2, 176.2],
    ['mt-nlg-530b', 529.6, 529.6],
    ['kimi-k2', 1026, 32],
    ['gpt-oss-120b', 116.8, 5.1],
    ['gpt-oss-20b', 20.9, 3.6],
    ['llama4-maverick-400b', 400.7, 17],
    ['deepseek-v2', 236, 21],
    ['nemotron-3-nano-30b-a3b', 31.6, 3.2],
    ['nemotron-3-super-120b-a12b', 120.6, 12.2],
    ['nemotron-3-ultra-550b-a55b', 550, 55],
  ])('%s has about %d billion, %d billion for a token', (name, total, active) => {
    const count = countParameters(shape(name))
    expect(count.total / 1e9 / total).toBeCloseTo(1, 1)
    expect(Math.abs(count.total / 1e9 / total - 1)).toBeLessThan(0.005)
    expect(Math.abs(count.active / 1e9 / active - 1)).toBeLessThan(0.06)
  })

  it('reads every entry of the catalogue', () => {
    for (const name of modelNames()) expect(countParameters(shape(name)).total).toBeGreaterThan(5e7)
  })
})
