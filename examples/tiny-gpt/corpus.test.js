import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadBatch, loadCorpus } from './corpus.js'

it('takes the Markdown documents once each, and no licences, changelogs or other scripts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tiny-gpt-'))
  mkdirSync(join(folder, 'b'))
  const files = {
    'b/README.md': 'B',
    'a.md': 'A',
    'copy.md': 'A',
    'CHANGELOG.md': '1.0',
    'LICENSE.md': 'MIT',
    'zh.md': '文档',
    'x.js': 'x',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  expect(loadCorpus(folder).toString()).toBe('A\n\nB\n\n')
})

it('says what to do where there is no text', () => {
  expect(() => loadCorpus(mkdtempSync(join(tmpdir(), 'tiny-gpt-')))).toThrow(/npm ci/)
})

it('finds the documents of the installed packages', () => {
  expect(loadCorpus().length).toBeGreaterThan(100_000)
})

const corpus = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251))
const batch = (first, last, step = 3) => loadBatch(corpus, { seed: 1, step, first, last, context: 16 })

it('gives a step the same sequences however many workers share it', () => {
  const whole = batch(0, 6)
  const parts = [batch(0, 2), batch(2, 3), batch(3, 6)]
  expect(Buffer.concat(parts.map(({ inputs }) => inputs))).toEqual(Buffer.from(whole.inputs))
  expect(Buffer.concat(parts.map(({ targets }) => targets))).toEqual(Buffer.from(whole.targets))
})

it('gives each step and sequence another place, with each byte followed by its target', () => {
  const { inputs, targets } = batch(0, 2)
  expect(inputs.slice(0, 16)).not.toEqual(inputs.slice(16))
  expect(batch(0, 2, 4).inputs).not.toEqual(inputs)
  expect(targets.slice(0, 15)).toEqual(inputs.slice(1, 16))
})
