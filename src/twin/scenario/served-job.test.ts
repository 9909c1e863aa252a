import { describe, expect, it } from 'vitest'
import { Insight } from '../report/insight.ts'
import { World } from '../world/world.ts'
import { assemble } from './assemble.ts'
import { parseScenario } from './parse-scenario.ts'
import { formatSpecProblem } from './read.ts'

const REQUESTS = `arrival_s,context_tokens,generated_tokens\n${Array.from({ length: 600 }, (_, i) => `${i},${400 + (i % 7) * 100},${50 + (i % 11) * 20}`).join('\n')}\n`
const MEASURED = 'measured: {prefillTokensPerSecond: 10000, tokenTime: 20ms}'

function scenario(serve: string, rest = '') {
  const parsed = parseScenario(
    `cluster: {template: nd-h100-v5, nodes: 2}\nstartCost: 1m\nworkloads:\n  - serve: ${serve}\n${rest}`,
    's.yaml',
  )
  if (!parsed.ok) throw new Error(parsed.error.map(formatSpecProblem).join('\n'))
  return assemble(parsed.value, { texts: new Map([['r.csv', REQUESTS]]) })
}

function play(serve: string, rest = '') {
  const made = scenario(serve, rest)
  if (!made.ok) throw new Error(made.error)
  const { setup } = made.value
  const insight = new Insight(setup, 0)
  const world = new World(setup, [insight])
  world.run()
  return { report: insight.report(world), setup, world }
}

describe('a served model', () => {
  it("[T24] has the planner's replicas, answers what comes once they are ready, and ends after it", () => {
    const { report, setup } = play('{model: llama3-8b, requests: {file: r.csv, times: 3}}')
    const [job] = setup.jobs
    expect(job!.spec).toMatchObject({ type: 'serve', model: 'llama3-8b', replicas: 1 })
    const [served] = report.serving
    // The first minute of three requests a second goes into the start.
    expect(served!.outcomes).toMatchObject({ asked: 1800, unready: expect.closeTo(180, -1.4), busy: 0 })
    expect(served!.outcomes.answered + served!.outcomes.unready).toBe(1800)
    expect(report.states).toEqual({ cancelled: 1 })
    expect(report.summary.jobs).toBe(0)
    expect(report.summary.makespanS).toBeCloseTo(900, -1.4)
    expect(report.waste.find(({ cause }) => cause === 'useful')!.gpuHours).toBeGreaterThan(0.2)
    expect(report.waste.find(({ cause }) => cause === 'preemption')!.gpuHours).toBe(0)
  })

  it('[T24] loses replicas to faults and gets them back, though the server crashes too', () => {
    const { report } = play(
      `{model: own, gpus: 4, replicas: 4, requests: {file: r.csv, after: 5m, lasts: 12h}, ${MEASURED}}`,
      'faults: {rates: [llama3], scale: 1000}\ncontrolFaults: {crashesPerDay: 96, restart: 1m, lateFacts: 0.2}\n',
    )
    const [served] = report.serving
    const { asked, answered, ...others } = served!.outcomes
    expect(asked).toBe(43_200)
    expect(answered / asked).toBeGreaterThan(0.5)
    expect(answered + Object.values(others).reduce((sum, each) => sum + each, 0)).toBe(asked)
    expect(others.brokenOff).toBeGreaterThan(0)
    expect(Math.max(...served!.series.replicas)).toBe(4)
    expect(Math.min(...served!.series.replicas)).toBeLessThan(4)
  })

  it('[T10] is refused with what is wrong with it', () => {
    expect(() => scenario('{model: lama9, requests: {file: r.csv}}')).toThrow(
      /s.yaml:4:12: workloads\[0\].serve: no model is called "lama9".*"measured"/,
    )
    expect(() => scenario(`{model: own, requests: {file: r.csv}, ${MEASURED}}`)).toThrow(
      /needs "gpus" of a replica and "replicas" too/,
    )
    expect(() => scenario('{model: llama3-8b}')).toThrow(/"requests" is missing/)
    expect(scenario('{model: deepseek-v3, gpus: 1, requests: {file: r.csv}}')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^serve-deepseek-v3: .* fits no replica/),
    })
    expect(scenario('{model: llama3-8b, requests: {file: other.csv}}')).toMatchObject({
      ok: false,
      error: 'serve-llama3-8b: other.csv: not read',
    })
  })
})
