import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MINUTE_MS } from '../../src/base/index.ts'
import { assemble, Insight, parseScenario, World } from '../../src/twin/index.ts'
import { expectedEffectiveTime, simulatedEffectiveTime } from './training-under-failures.ts'

describe("Meta's expected ratio of useful time (arXiv 2410.21680)", () => {
  it.each([
    [64, 80],
    [256, 10],
    [256, 20],
    [256, 40],
    [256, 80],
    [256, 160],
    [512, 20],
    [512, 80],
  ])('is met within a twentieth on %d nodes with checkpoints each %d min', (nodes, minutes) => {
    const training = { nodes, everyMs: minutes * MINUTE_MS }
    const ratio = simulatedEffectiveTime(training) / expectedEffectiveTime(training)
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05)
  })
})

describe('Llama 3, 16,384 GPUs for 54 days (arXiv 2407.21783)', () => {
  it('has its interruptions, the time between them, and over 90 % effective training time', () => {
    const file = join(import.meta.dirname, '../../examples/twin/llama3-54-days.yaml')
    const parsed = parseScenario(readFileSync(file, 'utf8'), file)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const made = assemble(parsed.value, { texts: new Map() })
    if (!made.ok) throw new Error(made.error)
    const insight = new Insight(made.value.setup, 2)
    const world = new World(made.value.setup, [insight])
    world.run()
    const report = insight.report(world)
    // 466 interruptions, of which Poisson's spread leaves 4 x 21.6.
    expect(Math.abs(report.interruptions.count - 466)).toBeLessThan(87)
    expect(report.interruptions.meanHoursBetween).toBeGreaterThan(2.3)
    expect(report.interruptions.meanHoursBetween).toBeLessThan(3.4)
    const useful = report.waste.find(({ cause }) => cause === 'useful')!.gpuHours / (16_384 * 54 * 24)
    expect(useful).toBeGreaterThan(0.9)
    expect(useful).toBeLessThan(0.96)
  })
})
