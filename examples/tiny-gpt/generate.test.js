import { expect, it } from 'vitest'
import { generate } from './generate.js'
import { createGpt, initialise } from './gpt.js'

const config = { context: 16, width: 16, layers: 1, heads: 2 }

/** A model that always goes on from one byte of `text` to the next, and from the last to the first. */
function aReciter(text) {
  const { parameters } = createGpt(config, 1)
  initialise({ ...config }, parameters, 1)
  const bytes = [...Buffer.from(text)]
  const width = config.width
  const headOffset = parameters.length - width * 256
  parameters.fill(0)
  for (const [i, byte] of bytes.entries()) {
    parameters[byte * width + i] = 1
    parameters[headOffset + i * 256 + bytes[(i + 1) % bytes.length]] = 10
  }
  return { config, parameters }
}

function run(model, options) {
  const pieces = generate(model, { maxTokens: 20, temperature: 1, topP: 1, stop: [], seed: 1, ...options })
  const texts = []
  for (;;) {
    const { value, done } = pieces.next()
    if (done) return { text: texts.join(''), texts, ...value }
    texts.push(value)
  }
}

it('goes on from the prompt, beyond the context as well', () => {
  const { text, reason, promptTokens, completionTokens } = run(aReciter('abcdefg'), {
    prompt: 'xx ab',
    maxTokens: 40,
  })
  expect(text).toBe('cdefgab'.repeat(6).slice(0, 40))
  expect({ reason, promptTokens, completionTokens }).toEqual({
    reason: 'length',
    promptTokens: 5,
    completionTokens: 40,
  })
})

it('ends before a stop text, of which nothing is let out', () => {
  const { text, texts, reason } = run(aReciter('abcdefg'), { prompt: 'a', stop: ['zz', 'def'] })
  expect(texts).toEqual(['b', 'c', ''])
  expect({ text, reason }).toEqual({ text: 'bc', reason: 'stop' })
})

it('lets out what only began like a stop text', () => {
  expect(run(aReciter('abcdefg'), { prompt: 'a', stop: ['bcx'], maxTokens: 4 }).text).toBe('bcde')
  expect(run(aReciter('abcdefg'), { prompt: 'a', stop: ['cdx'], maxTokens: 2 }).text).toBe('bc')
})

it('gives whole characters only', () => {
  const { texts } = run(aReciter('aé€'), { prompt: 'a', maxTokens: 6 })
  expect(texts).toEqual(['é', '€', 'a'])
})

it('gives the same text for the same seed, another for another, and the likeliest at temperature 0', () => {
  const { parameters } = createGpt(config, 1)
  initialise(config, parameters, 1)
  const model = { config, parameters }
  const text = (options) => run(model, { prompt: 'a', ...options }).text
  expect(text({ seed: 4 })).toBe(text({ seed: 4 }))
  expect(text({ seed: 4 })).not.toBe(text({ seed: 5 }))
  expect(text({ seed: 4, temperature: 0 })).toBe(text({ seed: 5, temperature: 0 }))
  expect(text({ seed: 4, topP: 1e-6 })).toBe(text({ temperature: 0 }))
})
