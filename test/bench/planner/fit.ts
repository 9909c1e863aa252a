import type { Strategy } from '../../../src/planner/index.ts'
import { CALIBRATION, type Calibration, type ConstantName } from '../../../src/planner/index.ts'
import type { MeasuredRun } from './measured-run.ts'
import { constantsOf, predict, strategyOf } from './predict.ts'

/** One number that the fit may move: the logarithm of a factor, with where it may be expected. */
interface Tunable {
  readonly scope: 'base' | 'attention' | 'architecture' | 'gpu' | 'family' | 'software'
  readonly owner: string
  readonly name: ConstantName
  /** Standard deviation of the prior around the starting value, in logarithms. */
  readonly spread: number
}

export interface FitRun {
  readonly run: MeasuredRun
  readonly weight: number
}

export interface FitResult {
  readonly calibration: Calibration
  readonly loss: number
  readonly tunables: number
}

type Spreads = Partial<Record<ConstantName, number>>

const BASE_SPREAD: Spreads = {
  matmulBf16: 0.15,
  matmulFp8: 0.2,
  matmulFp4: 0.2,
  memory: 0.05,
  nvlink: 0.1,
  network: 0.1,
  slowdown: 0.05,
  launch: 0.2,
  stepOverhead: 0.2,
  nvlinkLatency: 0.3,
  networkLatency: 0.3,
  matmulRamp: 0.3,
}

const ARCHITECTURE_FACTORS: Spreads = {
  matmulBf16: 0.12,
  matmulFp8: 0.15,
  matmulFp4: 0.15,
  matmulHalf: 0.4,
}

const GPU_FACTORS: Spreads = { clock: 0.06 }

const FAMILY_FACTORS: Spreads = {
  slowdown: 0.05,
  elementwise: 0.15,
  launch: 0.3,
  tensorExposed: 0.2,
  pipelineExposed: 0.3,
  dataExposed: 0.25,
  straggle: 0.3,
  microOverhead: 0.7,
  stepOverhead: 0.2,
}

/** What releases really differ in: how much they hide of exchanges, what a micro-batch costs the host, attention, and experts. */
const SOFTWARE_FACTORS: Spreads = {
  slowdown: 0.06,
  tensorExposed: 0.25,
  dataExposed: 0.35,
  microOverhead: 0.8,
  attention: 0.1,
  expertExposed: 0.4,
  routing: 0.6,
  groupedMatmul: 0.25,
  expertKernels: 0.4,
}

/**
 * The calibration that fits the runs best: the least sum of weighted absolute relative errors and of the priors.
 * Levenberg-Marquardt on log residuals, reweighted so that large residuals count linearly; derivatives by differences.
 */
export function fitConstants(
  runs: readonly FitRun[],
  start: Calibration = CALIBRATION,
  rounds = 12,
  progress?: (round: number, loss: number, damping: number) => void,
  PRIOR_WEIGHT = DEFAULT_PRIOR,
): FitResult {
  const tunables: Tunable[] = [
    ...(Object.keys(start.base) as ConstantName[])
      .filter((name) => name !== 'clock')
      .map((name) => ({
        scope: 'base' as const,
        owner: '',
        name,
        spread: BASE_SPREAD[name] ?? 0.5,
      })),
    ...layers(runs, start),
  ]
  const affects = tunables.map((tunable) =>
    runs.map(({ run }) => tunable.scope === 'base' || ownersOf(run, start)[tunable.scope] === tunable.owner),
  )
  const count = tunables.length
  let values = new Float64Array(count)
  let strategies = settle(runs, start)
  const residualsAt = (at: Float64Array): Float64Array => {
    const calibration = withFactors(start, tunables, at)
    return Float64Array.from(runs, ({ run }, i) => residual(run, strategies[i]!, calibration))
  }
  const lossOf = (residuals: Float64Array, at: Float64Array): number => {
    let loss = 0
    for (let i = 0; i < runs.length; i++) loss += runs[i]!.weight * Math.hypot(SMOOTH, residuals[i]!)
    for (let j = 0; j < count; j++) loss += PRIOR_WEIGHT * (at[j]! / tunables[j]!.spread) ** 2
    return loss
  }
  let residuals = residualsAt(values)
  let loss = lossOf(residuals, values)
  let damping = 1e-3
  for (let round = 0; round < rounds; round++) {
    const step = 0.01
    const columns = tunables.map((_, j) => {
      const moved = Float64Array.from(values)
      moved[j]! += step
      const calibration = withFactors(start, tunables, moved)
      return Float64Array.from(runs, ({ run }, i) =>
        affects[j]![i] ? (residual(run, strategies[i]!, calibration) - residuals[i]!) / step : 0,
      )
    })
    const normal = Array.from({ length: count }, () => new Float64Array(count))
    const right = new Float64Array(count)
    for (let i = 0; i < runs.length; i++) {
      const weight = runs[i]!.weight / Math.hypot(SMOOTH, residuals[i]!)
      const active: number[] = []
      for (let j = 0; j < count; j++) if (columns[j]![i] !== 0) active.push(j)
      for (const j of active) {
        const cj = columns[j]![i]! * weight
        right[j]! -= cj * residuals[i]!
        const row = normal[j]!
        for (const k of active) row[k]! += cj * columns[k]![i]!
      }
    }
    for (let j = 0; j < count; j++) {
      const prior = (2 * PRIOR_WEIGHT) / tunables[j]!.spread ** 2
      normal[j]![j]! += prior
      right[j]! -= prior * values[j]!
    }
    let improved = false
    for (let attempt = 0; attempt < 8 && !improved; attempt++) {
      const delta = solve(normal, right, damping)
      const tried = values.map((value, j) => value + Math.max(-0.4, Math.min(0.4, delta[j]!)))
      const triedResiduals = residualsAt(tried)
      const triedLoss = lossOf(triedResiduals, tried)
      if (triedLoss < loss) {
        improved = loss - triedLoss > 1e-5
        values = tried
        residuals = triedResiduals
        loss = triedLoss
        damping = Math.max(1e-5, damping / 4)
        if (!improved) break
      } else damping *= 5
    }
    progress?.(round, loss, damping)
    if (!improved) break
    if (round % 4 === 3) {
      strategies = settle(runs, withFactors(start, tunables, values))
      residuals = residualsAt(values)
      loss = lossOf(residuals, values)
    }
  }
  return { calibration: withFactors(start, tunables, values), loss, tunables: count }
}

/** Residuals well above this count linearly, below it as squares. */
const SMOOTH = 0.02
const DEFAULT_PRIOR = 0.00003

const LAYERS: Readonly<Record<Exclude<Tunable['scope'], 'base'>, Spreads>> = {
  attention: { attention: 0.15 },
  architecture: ARCHITECTURE_FACTORS,
  gpu: GPU_FACTORS,
  family: FAMILY_FACTORS,
  software: SOFTWARE_FACTORS,
}

/** Which entry of each layer of the calibration a run goes by. */
function ownersOf(run: MeasuredRun, calibration: Calibration): Record<keyof typeof LAYERS, string> {
  const { gpu } = run.machine
  const software = calibration.software.find(({ name }) => name === run.software)
  return {
    attention: `${software?.attention}/${gpu.architecture}`,
    architecture: gpu.architecture,
    gpu: gpu.name,
    family: software?.family ?? '',
    software: run.software,
  }
}

function layers(runs: readonly FitRun[], calibration: Calibration): Tunable[] {
  const owners = runs.map(({ run }) => ownersOf(run, calibration))
  return (Object.keys(LAYERS) as (keyof typeof LAYERS)[]).flatMap((scope) =>
    [...new Set(owners.map((of) => of[scope]))]
      .filter((owner) => !owner.startsWith('unfused/'))
      .flatMap((owner) =>
        (Object.entries(LAYERS[scope]) as [ConstantName, number][]).map(([name, spread]) => ({
          scope,
          owner,
          name,
          spread,
        })),
      ),
  )
}

function settle(runs: readonly FitRun[], calibration: Calibration): (Strategy | undefined)[] {
  return runs.map(({ run }) => {
    const strategy = strategyOf(run, constantsOf(run, calibration))
    return typeof strategy === 'string' ? undefined : strategy
  })
}

function residual(run: MeasuredRun, strategy: Strategy | undefined, calibration: Calibration): number {
  if (!strategy || run.stepSeconds === undefined) return 0
  return Math.log(predict(run, strategy, constantsOf(run, calibration)).seconds / run.stepSeconds)
}

function withFactors(start: Calibration, tunables: readonly Tunable[], values: Float64Array): Calibration {
  const moved = structuredClone(start) as unknown as Mutable
  const software = new Map(moved.software.map((entry) => [entry.name, entry.factors]))
  for (let j = 0; j < tunables.length; j++) {
    const { scope, owner, name } = tunables[j]!
    const factor = Math.exp(values[j]!)
    if (scope === 'base') moved.base[name]! *= factor
    else if (scope === 'attention') {
      const [kernel, architecture] = owner.split('/') as [string, string]
      moved.attention[kernel]![architecture]! *= factor
    } else {
      if (scope !== 'software') moved[SECTION[scope]][owner] ??= {}
      const into = scope === 'software' ? software.get(owner)! : moved[SECTION[scope]][owner]!
      into[name] = (into[name] ?? 1) * factor
    }
  }
  return moved as unknown as Calibration
}

const SECTION = { architecture: 'architectures', gpu: 'gpus', family: 'families' } as const

type Numbers = Record<string, number>
interface Mutable {
  base: Numbers
  attention: Record<string, Numbers>
  architectures: Record<string, Numbers>
  gpus: Record<string, Numbers>
  families: Record<string, Numbers>
  software: { name: string; factors: Numbers }[]
}

/** Solves the damped normal equations by Cholesky's decomposition. */
function solve(normal: readonly Float64Array[], right: Float64Array, damping: number): Float64Array {
  const n = right.length
  const lower = Array.from({ length: n }, () => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = normal[i]![j]! * (i === j ? 1 + damping : 1) + (i === j ? 1e-9 : 0)
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!
      lower[i]![j] = i === j ? Math.sqrt(Math.max(1e-12, sum)) : sum / lower[j]![j]!
    }
  }
  const forward = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let sum = right[i]!
    for (let k = 0; k < i; k++) sum -= lower[i]![k]! * forward[k]!
    forward[i] = sum / lower[i]![i]!
  }
  const solution = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) {
    let sum = forward[i]!
    for (let k = i + 1; k < n; k++) sum -= lower[k]![i]! * solution[k]!
    solution[i] = sum / lower[i]![i]!
  }
  return solution
}
