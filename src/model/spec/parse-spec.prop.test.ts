import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseSpec } from './parse-spec.ts'

const WORDS = [
  'type: train',
  'name: a',
  'gpus: 1',
  'nodes: 2',
  'run: go',
  'env:',
  '  A: 1',
  '- x',
  '{',
  '}',
  '[',
  ']',
  ':',
  '"',
  "'",
  '|',
  '>',
  '&a',
  '*a',
  '!t',
  '%',
  '---',
  '...',
  '\t',
  '#',
  '?',
  ',',
  '<<: *a',
  'topology: {within: x}',
]

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 20 }).map((words) => words.join('\n')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 20 }).map((words) => words.join(' ')),
)

test('any text gives a spec or faults with a place inside the text, and never throws', () => {
  fc.assert(
    fc.property(text, (yaml) => {
      const parsed = parseSpec(yaml, { file: 'a.yaml', folder: '/job' })
      if (parsed.ok) return
      const lines = yaml.split('\n').length
      expect(parsed.error.length).toBeGreaterThan(0)
      for (const { line = 0, column = 0, message } of parsed.error) {
        expect(line).toBeGreaterThanOrEqual(1)
        expect(line).toBeLessThanOrEqual(lines + 1)
        expect(column).toBeGreaterThanOrEqual(1)
        expect(message).not.toBe('')
      }
    }),
    { numRuns: 5_000 },
  )
})

test('any value put into any field gives a spec or faults, and never throws', () => {
  const path = fc.constantFrom(
    'name',
    'gpus',
    'run',
    'env.A',
    'time',
    'array',
    'topology.within',
    'gpu.memory',
    'x.y.z',
  )
  fc.assert(
    fc.property(path, fc.oneof(text, fc.json()), (field, value) => {
      const base = 'type: train\nname: a\ngpus: 1\nrun: go'
      const parsed = parseSpec(base, { file: 'a.yaml', folder: '/job', set: { [field]: value } })
      if (!parsed.ok) expect(parsed.error.length).toBeGreaterThan(0)
    }),
    { numRuns: 5_000 },
  )
})
