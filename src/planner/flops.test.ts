import { describe, expect, it } from 'vitest'
import { modelByName } from './catalogue.ts'
import { trainingFlopsPerToken } from './flops.ts'

function shape(name: string) {
  const found = modelByName(name)
  if (!found.ok) throw new Error(found.error)
  return found.value
}

describe('trainingFlopsPerToken', () => {
  // Narayanan et al., arXiv 2104.04473, equation 3 without its recomputation: 72 l h^2 (1 + s/6h + V/12lh) for a token.
  it.each(['gpt3-175b', 'mt-nlg-530b', 'gpt3-22b', 'gpt-1t', 'gpt3-5b'])('%s follows Megatron-LM', (name) => {
    const { layers: l, hidden: h, sequence: s, vocabulary: v } = shape(name)
    const paper = 72 * l * h * h * (1 + s / (6 * h) + v / (12 * l * h))
    expect(trainingFlopsPerToken(shape(name)) / paper).toBeCloseTo(1, 3)
  })

  it('GPT-3 175B takes 314 zettaFLOP for 300 billion tokens (arXiv 2005.14165, table D.1), attention aside', () => {
    const attention = 12 * 96 * 12288 * 2048
    const total = (trainingFlopsPerToken(shape('gpt3-175b')) - attention) * 300e9
    expect(total / 3.14e23).toBeCloseTo(1, 2)
  })

  it('counts half of the attention matrix under a causal mask, and windows by their width', () => {
    const llama = shape('llama3-8b')
    const difference =
      trainingFlopsPerToken(llama, 8192, 'full') - trainingFlopsPerToken(llama, 8192, 'causal')
    expect(difference).toBe((12 * 32 * 4096 * 8192) / 2)
    const windowed = shape('gpt-oss-20b')
    const grown = trainingFlopsPerToken(windowed, 8192) - trainingFlopsPerToken(windowed, 4096)
    expect(grown).toBe(12 * 12 * 4096 * 4096)
  })

  // NVIDIA's Megatron-Bridge tables print FLOP/s and tokens/s, whose ratio is this number.
  it.each([
    ['deepseek-v3', 259.8e9],
    ['kimi-k2', 204.6e9],
    ['qwen3-30b-a3b', 23.1e9],
    ['gpt-oss-120b', 32.6e9],
    ['nemotron-3-super-120b-a12b', 84.3e9],
    ['nemotron-3-ultra-550b-a55b', 360.6e9],
  ])('%s takes %d FLOP for a token', (name, flops) => {
    const model = shape(name)
    expect(Math.abs(trainingFlopsPerToken(model, model.sequence, 'causal') / flops - 1)).toBeLessThan(0.02)
  })
})
