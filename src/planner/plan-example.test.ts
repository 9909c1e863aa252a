import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseSpec } from '../model/spec/index.ts'
import { aMachine, aShape } from './planner-fixtures.ts'
import { planRun } from './run.ts'

it('examples/plans/llama3-70b.yaml is a spec, and still about what the planner says', () => {
  const file = 'examples/plans/llama3-70b.yaml'
  const parsed = parseSpec(readFileSync(file, 'utf8'), { file, folder: '/' })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const plan = planRun({
    shape: aShape('llama3-70b'),
    machine: aMachine('H100', 512),
    tokens: 1e12,
    precision: 'bf16',
  })
  if (!plan.ok) throw new Error(plan.error)
  const [spec] = parsed.value.specs
  expect(Math.abs(spec.expectedMs! / 1000 / plan.value.wallSeconds - 1)).toBeLessThan(0.2)
})
