import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../src/base/index.ts'
import {
  assemble,
  EMPTY_SCENARIO,
  Insight,
  parseScenario,
  type Scenario,
  World,
} from '../../src/twin/index.ts'

function play(scenario: Scenario) {
  const made = assemble(scenario, { texts: new Map() })
  if (!made.ok) throw new Error(made.error)
  const insight = new Insight(made.value.setup, 2)
  const world = new World(made.value.setup, [insight])
  world.run()
  return { report: insight.report(world), world }
}

describe("Meta's expected ratio of useful time (arXiv 2410.21680)", () => {
  const nodes = 256
  const restartMs = 5 * MINUTE_MS
  const saveMs = 30 * SECOND_MS
  const perNodeDay = 6.5e-3

  it.each([10, 20, 40, 80, 160])('is met within a twentieth with checkpoints each %d min', (minutes) => {
    const everyMs = minutes * MINUTE_MS
    const days = 400
    const { report } = play({
      ...EMPTY_SCENARIO,
      horizonMs: days * DAY_MS,
      // Spare nodes stand in for those under repair, so that the run is never short of nodes.
      cluster: { kind: 'plain', nodes: nodes + 16, gpus: 8, gpuModel: 'H100-80GB' },
      workloads: [
        {
          kind: 'jobs',
          name: 'training',
          tenant: 'team',
          count: 1,
          everyMs: 0,
          size: { nodes },
          work: { runMs: 10 * days * DAY_MS },
          priority: 'normal',
          preemptible: true,
          retryUser: 0,
          checkpoint: { everyMs, costMs: saveMs, graceMs: 0 },
        },
      ],
      startCost: { fromMs: restartMs, toMs: restartMs },
      faults: { rates: ['rsc1'], scale: 1 },
    })
    const useful = report.waste.find(({ cause }) => cause === 'useful')!.gpuHours / (nodes * 8 * days * 24)
    const failuresPerMs = (nodes * perNodeDay) / DAY_MS
    const formula = (1 - failuresPerMs * (restartMs + everyMs / 2)) / (1 + saveMs / everyMs)
    expect(Math.abs(useful / formula - 1)).toBeLessThan(0.05)
  })
})

describe('Llama 3, 16,384 GPUs for 54 days (arXiv 2407.21783)', () => {
  it('has its interruptions, the time between them, and over 90 % effective training time', () => {
    const file = join(import.meta.dirname, '../../examples/twin/llama3-54-days.yaml')
    const parsed = parseScenario(readFileSync(file, 'utf8'), file)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const { report } = play(parsed.value)
    // 466 interruptions, of which Poisson's spread leaves 4 x 21.6.
    expect(Math.abs(report.interruptions.count - 466)).toBeLessThan(87)
    expect(report.interruptions.meanHoursBetween).toBeGreaterThan(2.3)
    expect(report.interruptions.meanHoursBetween).toBeLessThan(3.4)
    const useful = report.waste.find(({ cause }) => cause === 'useful')!.gpuHours / (16_384 * 54 * 24)
    expect(useful).toBeGreaterThan(0.9)
    expect(useful).toBeLessThan(0.96)
  })
})
