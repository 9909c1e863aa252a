import { expect, test } from 'vitest'
import type { Submitted } from '../../../api/wire/workload.ts'
import { STRATEGY_VARIABLES } from '../../../model/run-declaration.ts'
import { declaredSize, withoutSize, withSize } from './suggested-size.ts'

const PLANNED =
  'type: train\nnodes: 4 # few\ngpusPerNode: 8\nenv:\n  LR: 3e-4\n  STEPS: "9"\nplan: {model: m, tokens: 1B}\n'
const strategy = Object.fromEntries(STRATEGY_VARIABLES.map((name) => [name, '2']))
const answered = {
  resources: { shape: { kind: 'nodes', nodes: 16, gpusPerNode: 8 } },
  program: { env: { LR: '3e-4', ...strategy } },
} as unknown as Submitted['specs'][number]

test.each([
  ['type: train\ngpus: 8\n', undefined],
  ['plan: [', undefined],
  ['gpus: auto\nplan: {model: m}\n', 'auto'],
  [PLANNED, 'fixed'],
])('%j has the size: %s', (text, size) => expect(declaredSize(text)).toBe(size))

test('the size is left to the planner without the strategy of another', () => {
  expect(withoutSize(PLANNED)).toBe(
    'type: train\nenv:\n  LR: 3e-4\nplan: { model: m, tokens: 1B }\ngpus: auto\n',
  )
})

test.each([PLANNED, 'gpus: auto\nplan: {model: m, tokens: 1B}\nenv:\n  LR: 3e-4\n'])(
  'the size is taken over with its strategy, and taking it over again changes nothing: %j',
  (from) => {
    const text = withSize(from, answered)
    expect(text).toContain('nodes: 16')
    expect(text).toContain('LR: 3e-4\n')
    expect(text).toContain('STEPS: "2"\n')
    expect(withSize(text, answered)).toBe(text)
  },
)
