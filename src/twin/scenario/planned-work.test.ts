import { describe, expect, it } from 'vitest'
import { planRun, trainingInput } from '../../planner/index.ts'
import { Insight } from '../report/insight.ts'
import { World } from '../world/world.ts'
import { assemble } from './assemble.ts'
import { parseScenario } from './parse-scenario.ts'
import { formatSpecProblem } from './read.ts'

const PLAN = '{model: llama3-8b, steps: 400, batch: 512, sequence: 8192}'

function assembled(jobs: string, cluster = '{template: nd-h100-v5, nodes: 8}') {
  const parsed = parseScenario(`cluster: ${cluster}\nworkloads:\n  - jobs: ${jobs}\n`, 's.yaml')
  if (!parsed.ok) throw new Error(parsed.error.map(formatSpecProblem).join('\n'))
  return assemble(parsed.value, { texts: new Map() })
}

describe('jobs with a plan', () => {
  it("[T23] run for the planner's step time on the fleet's hardware, with its checkpoints", () => {
    const made = assembled(`{name: tune, nodes: 4, plan: ${PLAN}}`)
    const input = trainingInput({
      model: 'llama3-8b',
      cluster: 'nd-h100-v5:4',
      steps: 400,
      batch: 512,
      sequence: 8192,
    })
    const plan = input.ok ? planRun(input.value) : input
    if (!made.ok || !plan.ok) throw new Error('not planned')
    const { setup } = made.value
    const [job] = setup.jobs
    const { candidate, reliability, trainingSeconds } = plan.value
    expect(job!.behaviour.workUs! / 1e6).toBeCloseTo(trainingSeconds, 1)
    expect(job!.behaviour.training).toMatchObject({
      stepUs: Math.round(candidate.step.total * 1e6),
      tokensPerStep: 512 * 8192,
    })
    expect(job!.behaviour.traffic).toMatchObject({ pattern: 'ring' })
    const insight = new Insight(setup, 0)
    const world = new World(setup, [insight])
    world.run()
    const { everySeconds, writeSeconds } = reliability.checkpoint
    // Nothing is left to save at the end.
    const saves = Math.ceil(trainingSeconds / everySeconds) - 1
    expect(insight.report(world).summary.meanCompletionS).toBeCloseTo(
      trainingSeconds + saves * writeSeconds,
      0,
    )
  })

  it('[T23] are slower on slower GPUs, and stay out of the network within a node', () => {
    const behaviour = (cluster: string) => {
      const made = assembled(`{gpus: 8, plan: ${PLAN}}`, cluster)
      if (!made.ok) throw new Error(made.error)
      return made.value.setup.jobs[0]!.behaviour
    }
    const h100 = behaviour('{nodes: 2, gpus: 8, gpuModel: H100}')
    expect(h100.traffic).toBeUndefined()
    expect(behaviour('{nodes: 2, gpus: 8, gpuModel: A100}').workUs!).toBeGreaterThan(1.5 * h100.workUs!)
  })

  it('[T23] are refused where the planner has no answer', () => {
    expect(assembled(`{name: big, gpus: 1, plan: {model: llama3-70b, tokens: 1B}}`)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^big: Llama 3 70B does not fit|^big: llama3-70b does not fit/i),
    })
    expect(assembled(`{gpus: 1, plan: ${PLAN}}`, '{nodes: 1, gpus: 8, gpuModel: Quark}')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/no GPU is called "Quark"/),
    })
    expect(() => assembled('{gpus: 1, plan: {model: lama9, tokens: 1B}}')).toThrow(
      /s.yaml:3:\d+: workloads\[0\].jobs.plan: no model is called "lama9"/,
    )
    expect(() => assembled(`{gpus: 1, run: 1h, plan: ${PLAN}}`)).toThrow(/either "run".* or "plan"/)
  })
})
