import { describe, expect, it } from 'vitest'
import { HOUR_MS } from '../../base/index.ts'
import { assemble } from '../scenario/assemble.ts'
import { parseScenario } from '../scenario/parse-scenario.ts'
import { World } from '../world/world.ts'
import { compare, estimate, estimateTexts } from './compare.ts'
import { reportPage } from './html.ts'
import { Insight } from './insight.ts'
import { linePlot } from './plot.ts'
import { StepSeries } from './step-series.ts'
import { quantile } from './summary.ts'

const SCENARIO = `cluster: {nodes: 6, gpus: 8}
horizon: 3d
workloads:
  - generate: {shape: rsc, load: 0.9, span: 2d, largestGpus: 24}
  - jobs: {name: <big> & "bold", tenant: llm, nodes: 4, run: 2d, retryUser: 1000}
startCost: {from: 5s, to: 1m}
checkpoint: {every: 10m, cost: 20s, grace: 1m}
faults: {rates: [llama3], scale: 300, stragglers: {perThousandNodeDays: 200, speed: 0.5, lasts: 3h}}
`

function play(seed: number) {
  const parsed = parseScenario(SCENARIO, 's.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const made = assemble({ ...parsed.value, seed }, { texts: new Map() })
  if (!made.ok) throw new Error(made.error)
  const insight = new Insight(made.value.setup, 2)
  const world = new World(made.value.setup, [insight])
  world.run()
  return { report: insight.report(world), world }
}

describe('the waste ledger', () => {
  it('[T15] adds up to the GPU-time of the fleet, but for attempts that are still open', () => {
    const { report, world } = play(3)
    const total = report.waste.reduce((sum, { share }) => sum + share, 0)
    const open = [...world.engine.runs.values()].reduce((sum, run) => {
      const gpus = run.order.allocation.parts.reduce((gpus, part) => gpus + part.gpus.length, 0)
      return sum + (gpus * (world.nowUs - run.launchedAt)) / 1000
    }, 0)
    const span = world.nowMs - world.setup.startMs
    expect(total + open / (report.gpuCount * span)).toBeCloseTo(1, 2)
    const causes = report.waste.filter(({ gpuHours }) => gpuHours > 0).map(({ cause }) => cause)
    expect(causes).toEqual(
      expect.arrayContaining(['useful', 'restart', 'saving', 'straggler', 'lost since checkpoint']),
    )
  })
})

describe('the page', () => {
  it('[T16] holds no script and nothing from elsewhere, escapes names, and is the same again', () => {
    const page = () => {
      const { report } = play(4)
      return reportPage({
        title: 'a <b> & "c"',
        runs: [{ name: '<fifo>', report }],
        skipped: { 'too <big>': 2 },
      })
    }
    const html = page()
    expect(html).not.toMatch(/<script|src=|href=|@import|url\(/)
    expect(html).toContain('a &lt;b&gt; &amp; &quot;c&quot;')
    expect(html).not.toContain('<fifo>')
    expect(html).toContain('<svg')
    expect(html).not.toContain('NaN')
    expect(page()).toBe(html)
    for (const part of ['Utilisation', 'Queue', 'Fragmentation', 'waited at most', 'slowed down at most'])
      expect(html).toContain(part)
    for (const part of ['by size', 'by tenant', 'Fairness is', 'GPU-hours went', 'Interruptions'])
      expect(html).toContain(part)
  })
})

describe('compare', () => {
  it('[T17] pairs runs by seed, so that what seeds have in common cancels out', () => {
    const reports = [1, 2, 3].map((seed) => play(seed).report)
    const later = reports.map((report) => ({
      ...report,
      summary: { ...report.summary, meanQueueS: report.summary.meanQueueS + 10 },
    }))
    const [first, second] = compare([
      { name: 'a', reports },
      { name: 'b', reports: later },
    ])
    expect(first!.figures.meanQueueS.high).toBeGreaterThan(first!.figures.meanQueueS.low)
    expect(second!.against!.meanQueueS.mean).toBeCloseTo(10)
    expect(second!.against!.meanQueueS.high - second!.against!.meanQueueS.low).toBeCloseTo(0)
  })

  it('[T17] says where candidates are the same, and puts as many beside each other as paper holds', () => {
    const reports = [1, 2].map((seed) => play(seed).report)
    const rows = compare(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ name, reports })))
    expect(estimateTexts('meanQueueS', rows[1]!, rows[0])).toMatchObject({ difference: 'the same' })
    expect(estimateTexts('meanQueueS', rows[0]!, rows[0])).toMatchObject({ difference: '' })
    const runs = [{ name: 'a', report: reports[0]! }]
    const html = reportPage({ title: 't', runs, comparison: rows, skipped: {} })
    expect(html.match(/<h2>Side by side/g)).toHaveLength(2)
    const [first = '', second = ''] = html.split('<h2>Side by side').slice(1)
    expect(first.match(/<th>/g)).toHaveLength(6)
    expect(second.slice(0, second.indexOf('</table>')).match(/<th>/g)).toHaveLength(3)
  })

  it("[T17] gives Student's interval", () => {
    // Five values with mean 3 and standard deviation sqrt(2.5): half width 2.776 x sqrt(2.5 / 5).
    expect(estimate([1, 2, 3, 4, 5]).high).toBeCloseTo(3 + 2.776 * Math.sqrt(0.5))
    expect(estimate([4])).toEqual({ mean: 4, low: 4, high: 4 })
  })
})

describe('a plot', () => {
  it('of nothing has an axis of plain numbers, and more lines than colours still differ', () => {
    const nothing = linePlot(
      Array.from({ length: 9 }, (_, i) => ({ name: `${i}`, values: [0, 0] })),
      { label: 'x', from: 0, to: 1, format: String },
      { label: 'y', format: String },
    )
    expect(nothing).toContain('>0.75<')
    expect(nothing).not.toContain('1e-')
    const looks = [...nothing.matchAll(/<polyline[^>]*(stroke="[^"]*")[^>]*(stroke-dasharray="[^"]*")/g)]
    expect(new Set(looks.map(([, colour, dashes]) => `${colour} ${dashes}`)).size).toBe(9)
  })
})

describe('StepSeries', () => {
  it('keeps means while it merges its buckets', () => {
    const steps = new StepSeries(0, 1)
    for (let hour = 0; hour < 2000; hour++) steps.had([hour % 2], (hour + 1) * HOUR_MS)
    const { rows, bucketMs } = steps.series()
    expect(rows[0]!.length).toBeLessThanOrEqual(480)
    const total = rows[0]!.reduce((sum, mean, b) => {
      const span = Math.min(bucketMs, 2000 * HOUR_MS - b * bucketMs)
      return sum + mean * span
    }, 0)
    expect(total / HOUR_MS).toBeCloseTo(1000)
  })
})

describe('quantile', () => {
  it('interpolates between neighbours', () => {
    expect([quantile([], 0.5), quantile([1, 2], 0.5), quantile([1, 2, 3, 4], 1)]).toEqual([0, 1.5, 4])
  })
})
