import { describe, expect, it } from 'vitest'
import { reportPage } from '../report/html.ts'
import { Insight } from '../report/insight.ts'
import { World } from '../world/world.ts'
import { assemble } from './assemble.ts'
import { parseScenario } from './parse-scenario.ts'
import { formatSpecProblem } from './read.ts'

function play(text: string) {
  const parsed = parseScenario(text, 's.yaml')
  if (!parsed.ok) throw new Error(parsed.error.map(formatSpecProblem).join('\n'))
  const made = assemble(parsed.value, { texts: new Map() })
  if (!made.ok) throw new Error(made.error)
  const insight = new Insight(made.value.setup, 2)
  const world = new World(made.value.setup, [insight])
  world.run()
  return { world, report: insight.report(world), jobs: insight.log.jobs }
}

const HOUR_MS = 3_600_000

describe('machines in a scenario', () => {
  it('[T33] are waited for, held whole from when they are up, and given back', () => {
    const { report, jobs } = play(`cluster: {nodes: 2, gpus: 8}
workloads:
  - machines: {name: desks, tenant: lab, nodes: 2, held: 2h, used: 0.25, count: 3, priority: high}
  - jobs: {tenant: llm, nodes: 1, run: 1h}
startCost: 6m
`)
    expect(jobs.map(({ type, heldMs }) => [type, heldMs / HOUR_MS])).toEqual([
      ['machines', 2.1],
      ['machines', 2.1],
      ['machines', 2.1],
      ['train', 1.1],
    ])
    const [desks] = report.machines
    expect(desks).toMatchObject({ name: 'desks', asked: 3, returned: 3, replaced: 0, evicted: 0 })
    expect(desks!.meanWaitS / 3600).toBeCloseTo((0 + 2.1 + 4.2) / 3, 5)
    expect(desks!.heldGpuHours).toBeCloseTo(3 * 2.1 * 16)
    expect(desks!.idleGpuHours).toBeCloseTo(3 * 2.1 * 16 * 0.75)
    expect(report.summary.jobs).toBe(1)
    const hoursOf = (cause: string) => report.waste.find((line) => line.cause === cause)?.gpuHours
    expect(hoursOf('idle-held')).toBeCloseTo(3 * 2 * 16 * 0.75)
    expect(hoursOf('useful')).toBeCloseTo(3 * 2 * 16 * 0.25 + 8)
    const page = reportPage({ title: 't', runs: [{ name: 'default', report }], skipped: {} })
    expect(page).toContain('Machines held for people: desks')
  })

  it('[T33] that fail are replaced for what is left of the time, however slow their nodes are', () => {
    const { report, jobs } = play(`cluster: {nodes: 8, gpus: 8}
workloads:
  - machines: {name: desks, nodes: 1, held: 9d, count: 6}
faults: {rates: [llama3], scale: 100, stragglers: {perThousandNodeDays: 300, speed: 0.5, lasts: 2d}}
`)
    const [desks] = report.machines
    expect(desks!.returned).toBe(6)
    expect(desks!.replaced).toBeGreaterThan(0)
    expect(desks).not.toHaveProperty('idleGpuHours')
    const shortest = Math.min(...jobs.map(({ heldMs }) => heldMs))
    const longest = Math.max(...jobs.map(({ heldMs }) => heldMs))
    // Facts are told in whole milliseconds.
    expect(shortest).toBeGreaterThan(9 * 24 * HOUR_MS - 100)
    // Beyond the time that was meant there is only that in which a hung machine was nobody's.
    expect(longest).toBeLessThan(10 * 24 * HOUR_MS)
  })

  it('[T33] are asked for at moments of chance, as many a day as was said, the same from the same seed', () => {
    const text = `cluster: {nodes: 50, gpus: 8}
workloads: [machines: {gpus: 1, held: {from: 1h, to: 3h}, perDay: 100, span: 20d}]
`
    const { report, world, jobs } = play(text)
    expect(jobs.length).toBeGreaterThan(1850)
    expect(jobs.length).toBeLessThan(2150)
    expect(report.machines[0]!.heldGpuHours / jobs.length).toBeCloseTo(2, 1)
    expect(play(text).world.hash.digest()).toBe(world.hash.digest())
  })

  it.each([
    ['nodes: 1', '"held" is missing; it needs how long they are held, such as 8h or {from: 1h, to: 12h}'],
    ['held: 1h', 'needs either "nodes" or "gpus"'],
    ['gpus: 1, held: 0s', '"held" must be longer than nothing'],
    ['gpus: 1, held: {from: 2h, to: 1h}', 'ends before it begins'],
    ['gpus: 1, held: 1h, perDay: 3', '"span" is missing; it needs for how long people come'],
    ['gpus: 1, held: 1h, perDay: 3, span: 1d, count: 2', 'needs either "count" and "every", or "perDay" and'],
    ['gpus: 1, held: 1h, used: 30', 'must lie between 0 and 1'],
    ['gpus: 1, hold: 1h', 'unknown field (did you mean "held"?)'],
  ])('[T10] refuses machines: {%s}', (fields, message) => {
    const parsed = parseScenario(
      `cluster: {nodes: 1, gpus: 8}\nworkloads:\n  - machines: {${fields}}`,
      's.yaml',
    )
    expect(parsed.ok).toBe(false)
    if (!parsed.ok) expect(parsed.error.map(formatSpecProblem).join('\n')).toContain(message)
  })
})
