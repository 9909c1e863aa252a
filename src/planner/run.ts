import { ok, type Result, refuse } from '../base/index.ts'
import { CALIBRATION } from './calibration.ts'
import { DEFAULT_FAILURES, type FailureModel, type Reliability, reliabilityOf } from './failures.ts'
import { trainingFlopsPerToken } from './flops.ts'
import type { Machine, Precision } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import { type Candidate, type SearchResult, search } from './search.ts'
import type { StepSeconds } from './step.ts'
import { checkStrategy, type Strategy } from './strategy.ts'

/** A training run to plan. */
export interface RunInput {
  readonly shape: ModelShape
  readonly machine: Machine
  /** Tokens to train on. */
  readonly tokens: number
  readonly precision: Precision
  readonly globalBatch?: number
  readonly sequence?: number
  readonly software?: string
  readonly fixed?: Partial<Strategy>
  readonly failures?: FailureModel
  readonly dollarsPerGpuHour?: number
  /** What a step of the job really takes: time and cost go by it, and it is set against the plan. */
  readonly measuredStepSeconds?: number
  readonly keep?: number
}

/** What a run takes. Times are seconds; the band is what two thirds of predictions stay within. */
export interface RunPlan {
  readonly shape: ModelShape
  readonly machine: Machine
  readonly candidate: Candidate
  readonly runnersUp: readonly Candidate[]
  readonly considered: number
  readonly steps: number
  readonly tokens: number
  readonly tokensPerSecondPerGpu: number
  /** Model FLOP/s over the data sheet's peak, the whole attention matrix counted (PaLM's MFU). */
  readonly modelFlopsUtilisation: number
  readonly limit: Limit
  readonly relativeError: number
  /** The measured step over the planned one, and whether that lies in the band. */
  readonly actual?: { readonly stepSeconds: number; readonly ratio: number; readonly withinBand: boolean }
  readonly reliability: Reliability
  readonly trainingSeconds: number
  readonly wallSeconds: number
  readonly gpuHours: number
  readonly kilowattHours: number
  readonly dollars: number
}

/** What most of a step's time goes to, and the share of it. */
export interface Limit {
  readonly by: 'compute' | 'memory' | 'network' | 'bubble' | 'host'
  readonly share: number
}

/** A node draws about 1.5 times its GPUs (DGX H100: 10.2 kW at most around 5.6 kW of GPUs, GPUs below their limit), and cooling a quarter more. */
const WATTS_FACTOR = 1.5 * 1.25 * 0.85

/** The usual batch of large pretraining runs: about four million tokens (arXiv 2302.13971, section 2.3). */
const BATCH_TOKENS = 2 ** 22

/** The fastest way to train on this machine and what the run takes with failures and checkpoints, or why it cannot be. */
export function planRun(input: RunInput): Result<RunPlan, string> {
  const { shape, machine } = input
  const sequence = input.sequence ?? shape.sequence
  if (!(input.tokens > 0)) return refuse(`tokens is ${input.tokens}; give how many tokens to train on`)
  if (machine.gpu.flops[input.precision] === undefined) {
    return refuse(
      `${machine.gpu.name} has no ${input.precision.toUpperCase()} tensor cores; it has ${Object.keys(machine.gpu.flops).join(', ')}`,
    )
  }
  const globalBatch = input.globalBatch ?? usualBatch(machine.gpuCount, sequence)
  const found = search({
    shape,
    machine,
    globalBatch,
    sequence,
    precision: input.precision,
    keep: input.keep ?? 5,
    ...(input.software && { software: input.software }),
    ...(input.fixed && { fixed: input.fixed }),
  })
  const [candidate, ...runnersUp] = found.best
  if (!candidate) return refuse(whyNothing(input, globalBatch, sequence, found))
  return ok(planOf(input, candidate, runnersUp, found.considered))
}

function planOf(
  input: RunInput,
  candidate: Candidate,
  runnersUp: readonly Candidate[],
  considered: number,
): RunPlan {
  const { shape, machine, tokens } = input
  const { globalBatch, sequence } = candidate.strategy
  const steps = Math.ceil(tokens / (globalBatch * sequence))
  const stepTime = input.measuredStepSeconds ?? candidate.step.total
  const trainingSeconds = steps * stepTime
  const relativeError = shape.blocks.moe > 0 ? CALIBRATION.errorBand.moe : CALIBRATION.errorBand.dense
  const nodes = Math.max(1, Math.ceil(machine.gpuCount / machine.gpusPerNode))
  const reliability = reliabilityOf(
    nodes,
    trainingSeconds,
    countParameters(shape).total,
    input.failures ?? DEFAULT_FAILURES,
  )
  const wallSeconds = trainingSeconds / reliability.productiveShare
  const gpuHours = (wallSeconds / 3600) * machine.gpuCount
  const tokensPerSecondPerGpu = (globalBatch * sequence) / stepTime / machine.gpuCount
  const peak = machine.gpu.flops[input.precision] ?? machine.gpu.flops.bf16
  return {
    shape,
    machine,
    candidate,
    runnersUp,
    considered,
    steps,
    tokens,
    tokensPerSecondPerGpu,
    modelFlopsUtilisation: (tokensPerSecondPerGpu * trainingFlopsPerToken(shape, sequence)) / peak,
    limit: limitOf(candidate.step),
    relativeError,
    ...(input.measuredStepSeconds !== undefined && {
      actual: actualOf(candidate.step.total, input.measuredStepSeconds, relativeError),
    }),
    reliability,
    trainingSeconds,
    wallSeconds,
    gpuHours,
    kilowattHours: (gpuHours * machine.gpu.watts * WATTS_FACTOR) / 1000,
    dollars: gpuHours * (input.dollarsPerGpuHour ?? machine.gpu.dollarsPerHour),
  }
}

function actualOf(
  planned: number,
  stepSeconds: number,
  relativeError: number,
): NonNullable<RunPlan['actual']> {
  const ratio = stepSeconds / planned
  return { stepSeconds, ratio, withinBand: Math.abs(ratio - 1) <= relativeError }
}

/**
 * Sequences of about four million tokens that the GPU count, halved while that is needed and leaves it whole, divides. Where
 * the odd part of the count is larger, as on a prime number of nodes, the batch is that part.
 */
export function usualBatch(gpuCount: number, sequence: number): number {
  const wanted = BATCH_TOKENS / sequence
  let unit = gpuCount
  while (unit > wanted && unit % 2 === 0) unit /= 2
  return Math.max(1, Math.round(wanted / unit)) * unit
}

function limitOf(step: StepSeconds): Limit {
  const shares = {
    compute: step.matmul + step.attention,
    memory: step.memory + step.optimizer,
    network: step.tensor + step.context + step.expert + step.pipeline + step.data,
    bubble: step.bubble,
    host: step.launch + step.overhead,
  }
  const [by, seconds] = (Object.entries(shares) as [Limit['by'], number][]).reduce((a, b) =>
    b[1] > a[1] ? b : a,
  )
  return { by, share: seconds / step.total }
}

/** The sentence that says why no strategy will do: what is fixed cannot be, or memory is short by so much. */
function whyNothing(input: RunInput, globalBatch: number, sequence: number, found: SearchResult): string {
  const { shape, machine } = input
  if (found.nearest) {
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(0)} GiB`
    return `${shape.name} does not fit ${machine.gpuCount} x ${machine.gpu.name}: the leanest strategy takes ${gib(found.nearest.memory.total)} of ${gib(machine.gpu.memoryBytes)} on a GPU; take more GPUs, a smaller sequence or a lower precision`
  }
  const fixed = input.fixed ?? {}
  const checked = checkStrategy(shape, machine, {
    tensor: 1,
    context: 1,
    pipeline: 1,
    interleave: 1,
    expert: 1,
    expertTensor: 1,
    microBatch: 1,
    globalBatch,
    sequence,
    sharding: 1,
    recompute: 'full',
    sequenceParallel: false,
    precision: input.precision,
    trains: 'all',
    ...fixed,
  })
  return checked.ok
    ? `no way to spread global batch ${globalBatch} of ${shape.name} over ${machine.gpuCount} GPUs divides evenly; try a batch that their number divides`
    : checked.error
}

/** A strategy in one line, with what is not worth saying left out: `tensor 4, pipeline 8 x 12 chunks, data 16, micro-batch 1`. */
export function strategyText(strategy: Strategy, machine?: Machine): string {
  const { tensor, context, pipeline, interleave, expert, sharding, recompute } = strategy
  const data = machine ? machine.gpuCount / (tensor * context * pipeline) : 0
  return [
    ...(tensor > 1 ? [`tensor ${tensor}`] : []),
    ...(context > 1 ? [`context ${context}`] : []),
    ...(pipeline > 1 ? [`pipeline ${pipeline}${interleave > 1 ? ` x ${interleave} chunks` : ''}`] : []),
    ...(data > 1 ? [`data ${data}`] : []),
    ...(expert > 1 ? [`expert ${expert}`] : []),
    `micro-batch ${strategy.microBatch} of ${strategy.globalBatch}`,
    sharding === 3
      ? 'weights sharded'
      : sharding === 2
        ? 'gradients sharded'
        : sharding === 1
          ? 'optimizer sharded'
          : 'nothing sharded',
    ...(recompute === 'none' ? [] : [`${recompute} recomputation`]),
  ].join(', ')
}
