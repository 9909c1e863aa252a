import { describe, expect, test } from 'vitest'
import { ok, refuse } from '../../base/index.ts'
import type { PlanAnswer, PlanQuestion } from '../run-declaration.ts'
import { parseSpec } from './parse-spec.ts'
import { formatSpecProblem } from './problem.ts'
import type { Planner } from './read-plan.ts'

const ANSWER: PlanAnswer = {
  size: { kind: 'nodes', nodes: 4, gpusPerNode: 8 },
  planned: {
    gpus: 32,
    gpu: 'H100-SXM-80',
    stepMs: 5000,
    relativeError: 0.1,
    steps: 100,
    wallMs: 600_000,
    dollars: 12,
    strategy: 'tensor 4',
    why: 'the cheapest',
  },
  environment: { TENSOR_PARALLEL: '4', STEPS: '100' },
  checkpointEveryMs: 60_000,
}

const PLAN = 'plan: {model: llama3-8b, tokens: 300B, finishBy: friday, budget: $2M}'
const text = (...lines: string[]) => ['type: train', 'name: a', 'run: ./go', ...lines].join('\n')

function parsed(spec: string, planner?: Planner) {
  const result = parseSpec(spec, { file: 'a.yaml', folder: '/job', planner })
  return result.ok ? result.value.specs[0] : result.error.map(formatSpecProblem)
}

describe('gpus: auto', () => {
  test('asks for a size with what is declared, and takes size, times and strategy from the answer', () => {
    const asked: PlanQuestion[] = []
    const planner: Planner = (question) => {
      asked.push(question)
      return ok(ANSWER)
    }
    const lines = ['gpus: auto', 'gpu: H100', PLAN, 'checkpoint: {path: c}', 'env: {STEPS: 7}']
    expect(parsed(text(...lines), planner)).toMatchObject({
      resources: { shape: ANSWER.size, gpu: { models: ['H100'] } },
      program: { env: { TENSOR_PARALLEL: '4', STEPS: '7' } },
      expectedMs: 600_000,
      checkpoint: { path: 'c', everyMs: 60_000 },
      plan: { model: 'llama3-8b', tokens: 300e9, finishBy: 'friday', budget: 2e6 },
      planned: ANSWER.planned,
    })
    expect(asked).toEqual([
      {
        declaration: { model: 'llama3-8b', tokens: 300e9, finishBy: 'friday', budget: 2e6 },
        size: 'auto',
        models: ['H100'],
      },
    ])
  })

  test('leaves alone what the spec says itself', () => {
    const lines = ['gpus: auto', PLAN, 'time: {expected: 1h, limit: 2h}', 'checkpoint: {path: c, every: 5m}']
    expect(parsed(text(...lines), () => ok(ANSWER))).toMatchObject({
      expectedMs: 3_600_000,
      limitMs: 7_200_000,
      checkpoint: { everyMs: 300_000 },
    })
    expect(parsed(text('gpus: auto', PLAN, 'time: 1m'), () => ok(ANSWER))).toMatchObject({
      expectedMs: 60_000,
      limitMs: 60_000,
    })
  })

  const cannot: Planner = () => refuse({ about: 'machine', message: 'it is too small' })
  const unknown: Planner = () => refuse({ about: 'declaration', message: 'no model is called "llama3-8b"' })
  test.each([
    ['a plan', ['gpus: auto'], undefined, '4:7: gpus: "auto" goes with plan, which is missing'],
    ['a planner', ['gpus: auto', PLAN], undefined, '4:7: gpus: "auto" is sized by a server'],
    ['a machine that will do', ['gpus: auto', PLAN], cannot, '4:7: gpus: no size will do: it is too small'],
    ['a known model', ['gpus: auto', PLAN], unknown, '5:7: plan: no model is called "llama3-8b"'],
    [
      'a known model, at a fixed size',
      ['gpus: 8', PLAN],
      unknown,
      '5:7: plan: no model is called "llama3-8b"',
    ],
    ['a model', ['gpus: 8', 'plan: {tokens: 1B}'], cannot, '5:7: plan.model: missing'],
    [
      'tokens or steps',
      ['gpus: 8', 'plan: {model: m}'],
      cannot,
      '5:7: plan: needs tokens, or steps with batch',
    ],
    [
      'a batch beside steps',
      ['gpus: 8', 'plan: {model: m, steps: 9}'],
      cannot,
      '5:25: plan.steps: goes with batch',
    ],
    [
      'one of tokens and steps',
      ['gpus: 8', 'plan: {model: m, tokens: 1B, steps: 9}'],
      cannot,
      '5:37: plan.steps: both tokens and steps are given',
    ],
    [
      'a number',
      ['gpus: 8', 'plan: {model: m, tokens: lots}'],
      cannot,
      '5:26: plan.tokens: needs a number above 0',
    ],
    [
      'all of a shape',
      ['gpus: 8', 'plan: {model: m, tokens: 1B, shape: {layers: 2, heads: 4}}'],
      cannot,
      '5:37: plan.shape.hidden: missing; needs the hidden width',
    ],
  ] as const)('needs %s', (_, lines, planner, problem) => {
    expect(parsed(text(...lines), planner)).toEqual([expect.stringContaining(`a.yaml:${problem}`)])
  })

  test('is for train only', () => {
    const spec = 'type: serve\nname: a\nrun: ./go\ngpus: auto\n'
    expect(parsed(spec, () => ok(ANSWER))).toEqual([expect.stringContaining('"auto" is for train')])
  })
})

describe('a declared run of a fixed size', () => {
  test('is planned at that size, and keeps its environment', () => {
    const spec = parsed(text('gpus: 8', PLAN), ({ size }) =>
      ok({ ...ANSWER, size: size === 'auto' ? ANSWER.size : size }),
    )
    expect(spec).toMatchObject({
      resources: { shape: { kind: 'gpus', gpus: 8 } },
      program: { env: {} },
      expectedMs: 600_000,
      planned: ANSWER.planned,
    })
  })

  test('is taken where the machine is none that can be planned for', () => {
    const spec = parsed(text('gpus: 8', PLAN), () => refuse({ about: 'machine', message: 'slots' }))
    expect(spec).toMatchObject({ plan: { model: 'llama3-8b' } })
    expect(spec).not.toHaveProperty('planned')
  })
})
