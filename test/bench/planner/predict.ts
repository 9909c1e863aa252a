import {
  CALIBRATION,
  type Calibration,
  type Candidate,
  checkStrategy,
  estimateStep,
  memoryBytes,
  type Resolved,
  resolveConstants,
  type Strategy,
  search,
} from '../../../src/planner/index.ts'
import type { MeasuredRun } from './measured-run.ts'

/** Whole-run averages lose some time to restarts and evaluation; Meta's RSC paper finds 0.9 and more productive (arXiv 2410.21680, section 4). */
const WHOLE_RUN_SHARE = 0.95

/** The strategy of a run: as printed, and where the source leaves a field out, what the planner's own search picks for it. */
export function strategyOf(run: MeasuredRun, constants: Resolved): Strategy | string {
  const { fixed } = run
  if (!fixed.recompute) return withRecompute(run, constants)
  const { recompute } = fixed
  const whole: Strategy = {
    tensor: fixed.tensor ?? 1,
    context: fixed.context ?? 1,
    pipeline: fixed.pipeline ?? 1,
    interleave: fixed.interleave ?? 1,
    expert: fixed.expert ?? 1,
    expertTensor: fixed.expertTensor ?? 1,
    microBatch: fixed.microBatch ?? 1,
    globalBatch: run.globalBatch,
    sequence: run.sequence,
    sharding: fixed.sharding ?? 1,
    ...(fixed.shardGroup && { shardGroup: fixed.shardGroup }),
    recompute,
    sequenceParallel: fixed.sequenceParallel ?? (fixed.tensor ?? 1) > 1,
    precision: run.precision,
    trains: fixed.trains ?? 'all',
    ...(fixed.documentTokens && { documentTokens: fixed.documentTokens }),
    ...(fixed.gradientBytes && { gradientBytes: fixed.gradientBytes }),
  }
  const complete =
    fixed.tensor && fixed.context && fixed.pipeline && fixed.interleave && fixed.microBatch && fixed.expert
  if (complete) {
    const checked = checkStrategy(run.shape, run.machine, whole, true)
    if (checked.ok) return whole
    // A printed configuration that does not divide evenly was run unevenly: drop what can be dropped.
    const relaxed = { ...whole, interleave: 1 }
    const again = checkStrategy(run.shape, run.machine, relaxed, true)
    return again.ok ? relaxed : checked.error
  }
  for (const memoryShare of [0.94, 1.3, 100]) {
    const found = search({
      shape: run.shape,
      machine: run.machine,
      globalBatch: run.globalBatch,
      sequence: run.sequence,
      precision: run.precision,
      fixed: { ...fixed, recompute },
      constants,
      memoryShare,
      keep: 1,
    })
    if (found.best[0]) return found.best[0].strategy
  }
  return 'no strategy divides its numbers'
}

/** A source that does not print recomputation is taken to recompute only what it must to fit. */
function withRecompute(run: MeasuredRun, constants: Resolved): Strategy | string {
  const none = strategyOf({ ...run, fixed: { ...run.fixed, recompute: 'none' } }, constants)
  if (typeof none === 'string' || run.kind === 'moe') return none
  const memory = memoryBytes(run.shape, run.machine, none, constants).total
  if (memory <= 1.15 * run.machine.gpu.memoryBytes) return none
  return strategyOf({ ...run, fixed: { ...run.fixed, recompute: 'full' } }, constants)
}

export function constantsOf(run: MeasuredRun, calibration: Calibration = CALIBRATION): Resolved {
  return resolveConstants(run.machine.gpu, run.software, calibration)
}

export interface Prediction {
  readonly seconds: number
  readonly candidate: Candidate
}

/** What the planner says of a run whose strategy is settled. */
export function predict(run: MeasuredRun, strategy: Strategy, constants: Resolved): Prediction {
  const candidate = estimateStep(run.shape, run.machine, strategy, constants)
  const seconds = run.wholeRun ? candidate.step.total / WHOLE_RUN_SHARE : candidate.step.total
  return { seconds, candidate }
}
