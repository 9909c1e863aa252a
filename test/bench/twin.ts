import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { MINUTE_MS } from '../../src/base/index.ts'
import {
  Agenda,
  type Assembled,
  assemble,
  EMPTY_SCENARIO,
  Insight,
  parseScenario,
  policyByName,
  type RunReport,
  type Scenario,
  World,
} from '../../src/twin/index.ts'
import { expectedEffectiveTime, simulatedEffectiveTime } from '../scenarios/training-under-failures.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:twin -- [--only speed,right,better,true] [--days 30] [--json]

How fast the twin is, whether it gives the figures that are published for its traces, what Banyan's policies make of
them, and Llama 3's 54 days.`

const options = benchOptions(HELP, { only: 'speed,right,better,true', days: 30 })
const DATA = process.env.BANYAN_DATA ?? join(import.meta.dirname, '../../../shared/data')
const parts = new Set(options.only.split(','))

/** Of Muri and Tiresias, which also span those of Lucid and Helios (42 to 290): the README of the data. */
const PEERS_JOBS_PER_SECOND = [28, 600] as const

interface Row {
  readonly part: string
  readonly what: string
  readonly jobs: number
  readonly meanCompletionS: number
  readonly published?: number
  readonly offPercent?: number
  readonly makespanS: number
  readonly preemptions: number
  readonly cpuSeconds: number
  readonly jobsPerCpuSecond: number
  /** The slowest and the fastest of the peers' own simulators, on 2 cores; where speed is what is measured. */
  readonly peersJobsPerSecond?: typeof PEERS_JOBS_PER_SECOND
  readonly eventsPerCpuSecond: number
  readonly rssMiB: number
  readonly hash: string
}

function play(assembled: Assembled) {
  const begin = process.cpuUsage()
  const insight = new Insight(assembled.setup, 2)
  const world = new World(assembled.setup, [insight])
  world.run()
  const { user, system } = process.cpuUsage(begin)
  return { report: insight.report(world), world, cpuSeconds: (user + system) / 1e6 }
}

function scenarioOf(
  trace: string,
  gpus: number,
  nodes: number,
  policyName: string,
  change: Partial<Scenario> = {},
) {
  const named = policyByName(policyName)
  if (!named) throw new Error(`no policy ${policyName}`)
  const file = join(DATA, 'traces', `${trace}.csv.gz`)
  const scenario: Scenario = {
    ...EMPTY_SCENARIO,
    policy: named.policy,
    declareRunTimes: named.needsRunTimes,
    cluster: { kind: 'plain', nodes, gpus, gpuModel: 'H100-80GB' },
    workloads: [{ kind: 'trace', file, format: 'csv' }],
    ...change,
  }
  const texts = new Map([[file, gunzipSync(readFileSync(file)).toString('utf8')]])
  const assembled = assemble(scenario, { texts })
  if (!assembled.ok) throw new Error(assembled.error)
  return assembled.value
}

const rows: Row[] = []

function measure(part: string, what: string, assembled: Assembled, published?: number): RunReport {
  const { report, world, cpuSeconds } = play(assembled)
  const { summary } = report
  rows.push({
    part,
    what,
    jobs: summary.jobs,
    meanCompletionS: Math.round(summary.meanCompletionS),
    ...(published !== undefined
      ? { published, offPercent: Number(((summary.meanCompletionS / published - 1) * 100).toFixed(2)) }
      : {}),
    makespanS: Math.round(summary.makespanS),
    preemptions: summary.preemptions,
    cpuSeconds: Number(cpuSeconds.toFixed(2)),
    jobsPerCpuSecond: Math.round(summary.jobs / cpuSeconds),
    ...(part === 'speed' && { peersJobsPerSecond: PEERS_JOBS_PER_SECOND }),
    eventsPerCpuSecond: Math.round(world.stepCount / cpuSeconds),
    rssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    hash: report.hash,
  })
  return report
}

const OCT_NOV: Partial<Scenario> = {
  workloads: [
    {
      kind: 'trace',
      file: join(DATA, 'traces', 'philly.csv.gz'),
      format: 'csv',
      from: { kind: 'date', ms: Date.UTC(2017, 9, 1), wholeDay: true },
      to: { kind: 'date', ms: Date.UTC(2017, 10, 30), wholeDay: true },
    },
  ],
}
const START_COST: Partial<Scenario> = { startCost: { fromMs: 4_000, toMs: 46_000 } }

if (!existsSync(join(DATA, 'traces'))) {
  process.stderr.write(`the traces are not at ${DATA}; set BANYAN_DATA\n`)
  process.exit(1)
}

const kernel = parts.has('speed') ? kernelSpeed() : undefined
if (parts.has('speed')) {
  measure('speed', 'philly whole, fifo, 70 x 8', scenarioOf('philly', 8, 70, 'fifo'))
  measure('speed', 'philly whole, default policy, 70 x 8', scenarioOf('philly', 8, 70, 'default'))
  const month = assemble(
    {
      ...EMPTY_SCENARIO,
      cluster: { kind: 'plain', nodes: 12_544, gpus: 8, gpuModel: 'H100-80GB' },
      workloads: [{ kind: 'generate', shape: 'rsc', load: 0.85, spanMs: options.days * 86_400_000 }],
    },
    { texts: new Map() },
  )
  if (month.ok)
    measure('speed', `${options.days} generated days (rsc) of 100,352 GPUs, default policy`, month.value)
}
if (parts.has('right')) {
  for (const [policy, at560, at640] of [
    ['fifo', 48_935, 18_529],
    ['sjf', 15_798, 13_171],
    ['ssf', 15_549, 13_041],
  ] as const) {
    measure(
      'right',
      `philly Oct and Nov, one pool of 560, ${policy}`,
      scenarioOf('philly', 560, 1, policy, OCT_NOV),
      at560,
    )
    measure(
      'right',
      `philly Oct and Nov, one pool of 640, ${policy}`,
      scenarioOf('philly', 640, 1, policy, OCT_NOV),
      at640,
    )
  }
  for (const [trace, srtf, srsf, srtfCost, srsfCost] of [
    ['muri-trace1', 1_377_149, 975_401, 1_370_603, 980_141],
    ['muri-trace3', 190_377, 183_966, 193_082, 185_022],
  ] as const) {
    measure('right', `${trace}, pool, srtf`, scenarioOf(trace, 64, 1, 'srtf'), srtf)
    measure('right', `${trace}, pool, srsf`, scenarioOf(trace, 64, 1, 'srsf'), srsf)
    measure(
      'right',
      `${trace}, pool, start costs, srtf`,
      scenarioOf(trace, 64, 1, 'srtf', START_COST),
      srtfCost,
    )
    measure(
      'right',
      `${trace}, pool, start costs, srsf`,
      scenarioOf(trace, 64, 1, 'srsf', START_COST),
      srsfCost,
    )
  }
}
if (parts.has('better')) {
  for (const [trace, tiresias, themis, srsf] of [
    ['muri-trace1', 3_330_371, 1_823_179, 980_141],
    ['muri-trace3', 347_213, 397_059, 185_022],
  ] as const) {
    const on8x8 = (policy: string) => scenarioOf(trace, 8, 8, policy, START_COST)
    measure(
      'better',
      `${trace}, 8 x 8, small-and-young-first against Tiresias-L`,
      on8x8('small-and-young-first'),
      tiresias,
    )
    measure(
      'better',
      `${trace}, 8 x 8, small-and-young-first against Themis`,
      on8x8('small-and-young-first'),
      themis,
    )
    measure(
      'better',
      `${trace}, 8 x 8, srsf-by-reports against Tiresias-L`,
      on8x8('srsf-by-reports'),
      tiresias,
    )
    measure('better', `${trace}, 8 x 8, srsf-by-reports against SRSF`, on8x8('srsf-by-reports'), srsf)
    measure('better', `${trace}, 8 x 8, srsf against SRSF`, on8x8('srsf'), srsf)
  }
}
const llama = parts.has('true') ? llama3() : undefined
const effectiveTime = parts.has('true') ? effectiveTimes() : undefined

if (options.json) process.stdout.write(`${JSON.stringify({ kernel, rows, llama3: llama, effectiveTime })}\n`)
else print()

function kernelSpeed(): { eventsPerSecond: number } {
  const agenda = new Agenda<number>()
  const count = 2_000_000
  let at = 1
  const begin = performance.now()
  for (let i = 0; i < 10_000; i++) {
    at = (at * 48_271) % 2_147_483_647
    agenda.plan(at, i & 3, i)
  }
  for (let i = 0; i < count; i++) {
    const next = agenda.take()!
    at = (at * 48_271) % 2_147_483_647
    agenda.plan(next.at + at, i & 3, i)
  }
  return { eventsPerSecond: Math.round(count / ((performance.now() - begin) / 1000)) }
}

/** Beside the paper's: 466 interruptions in 54 days, one unexpected each 3.1 h, over 90 % effective training time. */
function llama3() {
  const file = join(import.meta.dirname, '../../examples/twin/llama3-54-days.yaml')
  const parsed = parseScenario(readFileSync(file, 'utf8'), file)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const runs = [1, 2, 3].map((seed) => {
    const assembled = assemble({ ...parsed.value, seed }, { texts: new Map() })
    if (!assembled.ok) throw new Error(assembled.error)
    const { report } = play(assembled.value)
    const useful = report.waste.find(({ cause }) => cause === 'useful')?.gpuHours ?? 0
    return {
      seed,
      interruptions: report.interruptions.count,
      meanHoursBetween: Number(report.interruptions.meanHoursBetween.toFixed(2)),
      effectiveTrainingTime: Number((useful / (16_384 * 54 * 24)).toFixed(4)),
    }
  })
  return { paper: { interruptions: 466, meanHoursBetween: 2.78, effectiveTrainingTime: 'over 0.90' }, runs }
}

/** Beside Meta's formula, over checkpoint intervals and sizes, at RSC-1's failures. */
function effectiveTimes() {
  const sizes = [64, 256, 512]
  const intervals = [10, 20, 40, 80, 160]
  return sizes.flatMap((nodes) =>
    intervals.map((minutes) => {
      const training = { nodes, everyMs: minutes * MINUTE_MS }
      const simulated = simulatedEffectiveTime(training)
      const formula = expectedEffectiveTime(training)
      return {
        nodes,
        checkpointMinutes: minutes,
        simulated: Number(simulated.toFixed(4)),
        formula: Number(formula.toFixed(4)),
        offPercent: Number(((simulated / formula - 1) * 100).toFixed(2)),
      }
    }),
  )
}

function print(): void {
  const titles = [
    'what',
    'jobs',
    'mean completion s',
    'published',
    'off',
    'evictions',
    'CPU s',
    'jobs/CPU s',
    "peers' jobs/s",
    'events/CPU s',
    'MiB',
  ]
  const lines = rows.map((row) => [
    row.what,
    row.jobs,
    row.meanCompletionS,
    row.published ?? '',
    row.offPercent === undefined ? '' : `${row.offPercent} %`,
    row.preemptions,
    row.cpuSeconds,
    row.jobsPerCpuSecond,
    row.peersJobsPerSecond?.join(' to ') ?? '',
    row.eventsPerCpuSecond,
    row.rssMiB,
  ])
  if (rows.length > 0) process.stdout.write(`${benchTable(titles, lines)}\n`)
  if (kernel) process.stdout.write(`agenda alone: ${kernel.eventsPerSecond} events/s\n`)
  if (llama) process.stdout.write(`Llama 3: ${JSON.stringify(llama, null, 1)}\n`)
  if (effectiveTime) {
    const titles = ['effective time: nodes', 'checkpoint each, min', 'twin', "Meta's formula", 'off']
    const lines = effectiveTime.map((one) => [
      one.nodes,
      one.checkpointMinutes,
      one.simulated,
      one.formula,
      `${one.offPercent} %`,
    ])
    process.stdout.write(`${benchTable(titles, lines)}\n`)
  }
}
