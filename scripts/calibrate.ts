import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Calibration, Constants } from '../src/planner/index.ts'
import { parseCsv } from '../test/bench/planner/csv.ts'
import { type FitRun, fitConstants } from '../test/bench/planner/fit.ts'
import { type MeasuredRun, readRun } from '../test/bench/planner/measured-run.ts'
import { mean, scoreRows } from '../test/bench/planner/score.ts'

/**
 * Fits the constants of the planner to the measured runs and writes `src/planner/data/calibration.json` with its report.
 * With `--cross-validate` each source is also scored by a fit that did not see it; that takes a quarter of an hour.
 */
const folder = join(process.env.BANYAN_DATA ?? '../shared/data', 'training')
const rows = parseCsv(readFileSync(join(folder, 'measurements.csv'), 'utf8'))
const prior: Calibration = {
  version: 'prior',
  ...JSON.parse(readFileSync('data/planner/prior.json', 'utf8')),
  architectures: {},
  gpus: {},
  families: {},
  errorBand: { dense: 0, moe: 0 },
}
const start: Calibration = { ...prior, software: prior.software.map((entry) => ({ ...entry, factors: {} })) }
const ROUNDS = 20
const FOLDS = 8

const runs: MeasuredRun[] = []
for (const row of rows) {
  const reading = readRun(row)
  if ('run' in reading && reading.run.stepSeconds !== undefined) runs.push(reading.run)
}

const fitted = fitConstants(weigh(runs), start, ROUNDS, (round, loss) =>
  console.error(`round ${round}: loss ${loss.toFixed(5)}`),
)
const reportFile = 'data/planner/calibration-report.json'
const crossValidated = process.argv.includes('--cross-validate')
  ? crossValidate()
  : JSON.parse(readFileSync(reportFile, 'utf8')).crossValidated
const calibration: Calibration = {
  version: `${runs.length} runs, planner formulas 2`,
  base: fitted.calibration.base,
  attention: fitted.calibration.attention,
  architectures: eachWorthKeeping(fitted.calibration.architectures),
  gpus: eachWorthKeeping(fitted.calibration.gpus),
  families: eachWorthKeeping(fitted.calibration.families),
  software: fitted.calibration.software.map((entry) => ({ ...entry, factors: worthKeeping(entry.factors) })),
  errorBand: { dense: crossValidated.bandDense, moe: crossValidated.bandMoe },
}
writeFileSync('src/planner/data/calibration.json', `${JSON.stringify(calibration, rounded, 2)}\n`)

const { sources, macroDense, macroMoe, baselineDense, baselineMoe, regret, macroMemory } = scoreRows(
  rows,
  calibration,
)
const numbers = (sections: Readonly<Record<string, object>>) =>
  Object.values(sections).reduce((sum, section) => sum + Object.keys(section).length, 0)
const report = {
  runs: runs.length,
  constants: {
    base: Object.keys(calibration.base).length,
    attention: numbers(calibration.attention),
    architectures: numbers(calibration.architectures),
    gpus: numbers(calibration.gpus),
    families: numbers(calibration.families),
    software: calibration.software.reduce((sum, entry) => sum + Object.keys(entry.factors).length, 0),
  },
  loss: fitted.loss,
  macroDense,
  macroMoe,
  baselineDense,
  baselineMoe,
  regret,
  macroMemory,
  crossValidated,
  sources: sources.map(({ source, kind, scored, mape, biasPct }) => ({
    source,
    kind,
    scored,
    mape,
    biasPct,
  })),
}
writeFileSync(reportFile, `${JSON.stringify(report, rounded, 1)}\n`)
console.log(
  `dense ${macroDense.toFixed(2)} %, mixture of experts ${macroMoe.toFixed(2)} %, averaged over sources`,
)

/** Each source weighs the same, but that very few rows weigh less: one row says little about a generation of software. */
function weigh(all: readonly MeasuredRun[]): FitRun[] {
  const groups = new Map<string, MeasuredRun[]>()
  for (const run of all) {
    const key = `${run.source}|${run.kind}`
    const group = groups.get(key)
    if (group) group.push(run)
    else groups.set(key, [run])
  }
  return [...groups.values()].flatMap((group) => {
    // A fifth of a large sweep says what all of it says.
    const kept = group.length > 250 ? group.filter((_, i) => i % 5 === 0) : group
    const weight = Math.min(1, 0.4 + 0.12 * kept.length) / kept.length / groups.size
    return kept.map((run) => ({ run, weight }))
  })
}

/** Factors that the runs moved; those that stayed near 1 say nothing and are left out. */
function worthKeeping(factors: Partial<Constants>): Partial<Constants> {
  return Object.fromEntries(Object.entries(factors).filter(([, factor]) => Math.abs(Math.log(factor)) > 0.04))
}

function eachWorthKeeping(
  sections: Readonly<Record<string, Partial<Constants>>>,
): Record<string, Partial<Constants>> {
  return Object.fromEntries(Object.entries(sections).map(([name, factors]) => [name, worthKeeping(factors)]))
}

function crossValidate() {
  const sources = [...new Set(runs.map((run) => run.source))]
  const left: { source: string; kind: string; scored: number; mape: number }[] = []
  const errors: { dense: number[]; moe: number[] } = { dense: [], moe: [] }
  for (let fold = 0; fold < FOLDS; fold++) {
    const out = new Set(sources.filter((_, i) => i % FOLDS === fold))
    const { calibration: without } = fitConstants(
      weigh(runs.filter((run) => !out.has(run.source))),
      start,
      ROUNDS / 2,
    )
    const scored = scoreRows(
      rows.filter((row) => out.has(row.source ?? '')),
      without,
    )
    for (const { source, kind, scored: count, mape } of scored.sources) {
      if (mape === null) continue
      left.push({ source, kind, scored: count, mape })
      errors[kind].push(mape)
    }
    console.error(`fold ${fold + 1} of ${FOLDS}: without ${[...out].join(', ')}`)
  }
  const twoThirds = (list: number[]) =>
    [...list].sort((a, b) => a - b)[Math.floor((list.length * 2) / 3)]! / 100
  return {
    folds: FOLDS,
    macroDense: mean(errors.dense)!,
    macroMoe: mean(errors.moe)!,
    bandDense: twoThirds(errors.dense),
    bandMoe: twoThirds(errors.moe),
    sources: left,
  }
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value
}
