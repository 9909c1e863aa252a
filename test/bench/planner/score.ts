import {
  CALIBRATION,
  type Calibration,
  type Candidate,
  memoryBytes,
  trainingFlopsPerToken,
} from '../../../src/planner/index.ts'
import { type MeasuredRun, readRun } from './measured-run.ts'
import { constantsOf, predict, strategyOf } from './predict.ts'

/** How well one source's runs of one kind are predicted. Errors are percents of the measured step time or memory. */
export interface SourceScore {
  readonly source: string
  readonly kind: 'dense' | 'moe'
  readonly rows: number
  readonly scored: number
  readonly refused: number
  readonly mape: number | null
  readonly medianApe: number | null
  readonly biasPct: number | null
  readonly baselineMape: number | null
  readonly memoryMape: number | null
  /** Share of runs that ran out of memory and were predicted to, and of runs that ran and were predicted not to. */
  readonly oomRecall: number | null
  readonly oomFalseAlarms: number | null
}

export interface Score {
  readonly sources: readonly SourceScore[]
  readonly macroDense: number
  readonly macroMoe: number
  readonly macroMemory: number | null
  readonly baselineMacro: number
  readonly baselineDense: number
  readonly baselineMoe: number
  readonly oomRecall: number | null
  readonly oomFalseAlarms: number | null
  /** Mean excess of the measured time of the best pick over the best measured time, in percent, over sweeps. */
  readonly regret: number | null
  readonly sweeps: number
  readonly refusals: readonly string[]
}

interface Scored {
  readonly run: MeasuredRun
  readonly candidate: Candidate
  readonly seconds: number
}

/** Reads and predicts every row. Nothing is fitted but the baseline, which is fitted to these very rows. */
export function scoreRows(
  rows: readonly Readonly<Record<string, string>>[],
  calibration: Calibration = CALIBRATION,
): Score {
  const groups = new Map<
    string,
    { rows: number; refused: number; scored: Scored[]; kind: 'dense' | 'moe'; source: string }
  >()
  const refusals: string[] = []
  const everything: Scored[] = []
  for (const row of rows) {
    const reading = readRun(row)
    const kind = 'run' in reading ? reading.run.kind : row.n_experts ? 'moe' : 'dense'
    const source = row.source ?? ''
    const key = `${source}|${kind}`
    let group = groups.get(key)
    if (!group) {
      group = { rows: 0, refused: 0, scored: [], kind, source }
      groups.set(key, group)
    }
    group.rows++
    if ('refused' in reading) {
      group.refused++
      refusals.push(reading.refused)
      continue
    }
    const { run } = reading
    const constants = constantsOf(run, calibration)
    const strategy = strategyOf(run, constants)
    if (typeof strategy === 'string') {
      group.refused++
      refusals.push(`${run.id}: ${strategy}`)
      continue
    }
    const scored = { run, ...predict(run, strategy, constants) }
    group.scored.push(scored)
    everything.push(scored)
  }

  const baseline = fitBaseline(everything)
  const sources = [...groups.values()].map((group) => scoreGroup(group, baseline, calibration))
  const macro = (kind: 'dense' | 'moe' | undefined, of: (score: SourceScore) => number | null) =>
    mean(sources.filter((score) => !kind || score.kind === kind).map(of)) ?? Number.NaN
  const ran = everything.filter(({ run }) => run.stepSeconds !== undefined && !run.outOfMemory)
  const failed = everything.filter(({ run }) => run.outOfMemory)
  return {
    sources,
    macroDense: macro('dense', (score) => score.mape),
    macroMoe: macro('moe', (score) => score.mape),
    macroMemory: mean(sources.map((score) => score.memoryMape)),
    baselineMacro: macro(undefined, (score) => score.baselineMape),
    baselineDense: macro('dense', (score) => score.baselineMape),
    baselineMoe: macro('moe', (score) => score.baselineMape),
    oomRecall: mean(failed.map((scored) => (overflows(scored, calibration) ? 100 : 0))),
    oomFalseAlarms: mean(ran.map((scored) => (overflows(scored, calibration) ? 100 : 0))),
    ...regretOf(everything),
    refusals,
  }
}

function scoreGroup(
  group: { rows: number; refused: number; scored: Scored[]; kind: 'dense' | 'moe'; source: string },
  baseline: (run: MeasuredRun) => number,
  calibration: Calibration,
): SourceScore {
  const timed = group.scored.filter(({ run }) => run.stepSeconds !== undefined)
  const errors = timed.map(({ run, seconds }) => 100 * (seconds / run.stepSeconds! - 1))
  const memory = group.scored
    .filter(({ run }) => run.peakMemoryBytes !== undefined)
    .map(({ run, candidate }) => 100 * Math.abs(candidate.memory.total / run.peakMemoryBytes! - 1))
  const failed = group.scored.filter(({ run }) => run.outOfMemory)
  const ran = timed.filter(({ run }) => !run.outOfMemory)
  return {
    source: group.source,
    kind: group.kind,
    rows: group.rows,
    scored: timed.length,
    refused: group.refused,
    mape: mean(errors.map(Math.abs)),
    medianApe: median(errors.map(Math.abs)),
    biasPct: mean(errors),
    baselineMape: mean(timed.map(({ run }) => 100 * Math.abs(baseline(run) / run.stepSeconds! - 1))),
    memoryMape: mean(memory),
    oomRecall: mean(failed.map((scored) => (overflows(scored, calibration) ? 100 : 0))),
    oomFalseAlarms: mean(ran.map((scored) => (overflows(scored, calibration) ? 100 : 0))),
  }
}

/** Whether a run is predicted not to fit. Where recomputation is not printed, it is given the benefit of all of it. */
function overflows({ run, candidate }: Scored, calibration: Calibration): boolean {
  const capacity = run.machine.gpu.memoryBytes
  if (candidate.memory.total <= capacity) return false
  if (run.fixed.recompute) return true
  const least = { ...candidate.strategy, recompute: 'full' as const }
  return memoryBytes(run.shape, run.machine, least, constantsOf(run, calibration)).total > capacity
}

/** One constant FLOP rate for each GPU and precision: the weighted median of the rates measured, each source weighing the same. */
function fitBaseline(scored: readonly Scored[]): (run: MeasuredRun) => number {
  const flopSeconds = (run: MeasuredRun) =>
    (trainingFlopsPerToken(run.shape, run.sequence) * run.globalBatch * run.sequence) / run.machine.gpuCount
  const sizes = new Map<string, number>()
  for (const { run } of scored) sizes.set(run.source, (sizes.get(run.source) ?? 0) + 1)
  const rates = new Map<string, { rate: number; weight: number }[]>()
  for (const { run } of scored) {
    if (run.stepSeconds === undefined) continue
    const key = `${run.machine.gpu.name}|${run.precision}`
    const list = rates.get(key) ?? []
    list.push({ rate: flopSeconds(run) / run.stepSeconds, weight: 1 / sizes.get(run.source)! })
    rates.set(key, list)
  }
  const fitted = new Map([...rates].map(([key, list]) => [key, weightedMedian(list)]))
  return (run) => flopSeconds(run) / (fitted.get(`${run.machine.gpu.name}|${run.precision}`) ?? Number.NaN)
}

/** Sweeps are runs of one model on one machine with at least three strategies; each source's sweeps weigh together as one. */
function regretOf(scored: readonly Scored[]): { regret: number | null; sweeps: number } {
  const sweeps = new Map<string, Scored[]>()
  for (const entry of scored) {
    if (entry.run.stepSeconds === undefined) continue
    const list = sweeps.get(entry.run.sweep) ?? []
    list.push(entry)
    sweeps.set(entry.run.sweep, list)
  }
  const bySource = new Map<string, number[]>()
  let count = 0
  for (const list of sweeps.values()) {
    const strategies = new Set(list.map(({ candidate }) => JSON.stringify(candidate.strategy)))
    if (strategies.size < 3) continue
    count++
    const pick = list.reduce((a, b) => (b.seconds < a.seconds ? b : a))
    const best = Math.min(...list.map(({ run }) => run.stepSeconds!))
    const regrets = bySource.get(pick.run.source) ?? []
    regrets.push(100 * (pick.run.stepSeconds! / best - 1))
    bySource.set(pick.run.source, regrets)
  }
  return { regret: mean([...bySource.values()].map(mean)), sweeps: count }
}

export function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null)
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function weightedMedian(list: readonly { rate: number; weight: number }[]): number {
  const sorted = [...list].sort((a, b) => a.rate - b.rate)
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  let sum = 0
  for (const { rate, weight } of sorted) {
    sum += weight
    if (sum >= half) return rate
  }
  return Number.NaN
}
