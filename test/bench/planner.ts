import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchOptions } from './options.ts'
import { parseCsv } from './planner/csv.ts'
import { type Score, type SourceScore, scoreRows } from './planner/score.ts'
import { configurationsPerSecond, timeSearches } from './planner/speed.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:planner -- [--rows FILE] [--json]

Error of the planned step time and memory over measured runs, ranking regret, speed and search. Without --rows, the
training/measurements.csv of ../shared/data (BANYAN_DATA names another folder).`

const REPORT = new URL('../../data/planner/calibration-report.json', import.meta.url)

interface CrossValidation {
  readonly macroDense: number
  readonly macroMoe: number
  readonly sources: readonly { readonly source: string; readonly kind: string; readonly mape: number }[]
}

const options = benchOptions(HELP, { rows: '' })
const folder = process.env.BANYAN_DATA ?? '../shared/data'
const file = options.rows || join(folder, 'training', 'measurements.csv')
if (!existsSync(file)) {
  console.error(`${file} is not there; give --rows FILE or set BANYAN_DATA to the folder of measurements`)
  process.exit(2)
}

const score = scoreRows(parseCsv(readFileSync(file, 'utf8')))
const search = timeSearches()
const perSecond = configurationsPerSecond()
// Errors on sources that were left out of the fit belong to the rows that the fit saw.
const crossValidated: CrossValidation | undefined =
  options.rows === '' && existsSync(REPORT)
    ? JSON.parse(readFileSync(REPORT, 'utf8')).crossValidated
    : undefined

if (options.json) {
  const { refusals: _, ...numbers } = score
  console.log(
    JSON.stringify({
      ...numbers,
      configsPerSecond: Math.round(perSecond),
      search,
      ...(crossValidated && { crossValidated }),
    }),
  )
} else print(score, crossValidated)

function print(score: Score, crossValidated: CrossValidation | undefined): void {
  const left = new Map(crossValidated?.sources.map((entry) => [`${entry.source}|${entry.kind}`, entry.mape]))
  const titles = [
    'source',
    'kind',
    'rows',
    'scored',
    'refused',
    'MAPE',
    'median',
    'bias',
    'left out',
    'constant FLOP/s',
    'memory',
  ]
  const percent = (value: number | null | undefined) =>
    value === null || value === undefined ? '' : value.toFixed(1)
  const row = (entry: SourceScore) => [
    entry.source.slice(0, 48),
    entry.kind,
    entry.rows,
    entry.scored,
    entry.refused,
    percent(entry.mape),
    percent(entry.medianApe),
    percent(entry.biasPct),
    percent(left.get(`${entry.source}|${entry.kind}`)),
    percent(entry.baselineMape),
    percent(entry.memoryMape),
  ]
  console.log(benchTable(titles, score.sources.map(row)))
  console.log(`error of step time in percent, averaged over sources:`)
  console.log(
    `  dense ${percent(score.macroDense)} (constant FLOP/s ${percent(score.baselineDense)}${crossValidated ? `, source left out of the fit ${percent(crossValidated.macroDense)}` : ''})`,
  )
  console.log(
    `  mixture of experts ${percent(score.macroMoe)} (constant FLOP/s ${percent(score.baselineMoe)}${crossValidated ? `, source left out of the fit ${percent(crossValidated.macroMoe)}` : ''})`,
  )
  console.log(
    `memory ${percent(score.macroMemory)}; out-of-memory recall ${percent(score.oomRecall)}, false alarms ${percent(score.oomFalseAlarms)}`,
  )
  console.log(`ranking regret ${percent(score.regret)} over ${score.sweeps} sweeps`)
  for (const refusal of score.refusals) console.log(`refused ${refusal}`)
  console.log(`${Math.round(perSecond).toLocaleString('en')} configurations for each CPU-second`)
  for (const entry of search) {
    console.log(
      `search ${entry.model} on ${entry.gpus} GPUs: ${entry.milliseconds.toFixed(0)} ms, ${entry.evaluated} of ${entry.considered} worked out, best ${entry.best} at ${entry.stepSeconds.toFixed(2)} s`,
    )
  }
}
