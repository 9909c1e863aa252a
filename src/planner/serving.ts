import { ok, type Result, refuse } from '../base/index.ts'
import { type Resolved, resolveConstants } from './calibration.ts'
import { groupOf, ringSeconds } from './collectives.ts'
import { forwardFlopsPerToken } from './flops.ts'
import { type Machine, machineOf, type Precision } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'

/** What clients ask of a model: mean lengths in tokens, requests a second together, and how long they will wait. */
export interface RequestMix {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly requestsPerSecond: number
  readonly maxFirstTokenSeconds?: number
  readonly maxSecondsPerToken?: number
}

export interface ServingInput {
  readonly shape: ModelShape
  readonly machine: Machine
  readonly precision: Precision
  readonly mix: RequestMix
  /** GPUs of one replica, where they are given. */
  readonly gpusPerReplica?: number
  readonly dollarsPerGpuHour?: number
}

/** One way to serve a model. Rates are of output tokens unless named otherwise. */
export interface ServingPlan {
  readonly gpusPerReplica: number
  readonly replicas: number
  /** Requests that a replica works on at once, at the load asked for and at most. */
  readonly batch: number
  readonly memoryBatch: number
  readonly firstTokenSeconds: number
  readonly secondsPerToken: number
  readonly tokensPerSecondPerReplica: number
  readonly requestsPerSecondPerReplica: number
  readonly weightBytesPerGpu: number
  readonly cacheBytesPerToken: number
  readonly dollarsPerHour: number
  readonly dollarsPerMillionTokens: number
  /** What the decoding of a token waits for. */
  readonly limit: 'compute' | 'memory' | 'network'
}

const WEIGHT_BYTES: Readonly<Record<Precision, number>> = { bf16: 2, fp8: 1, fp4: 0.5625 }
const CACHE_BYTES: Readonly<Record<Precision, number>> = { bf16: 2, fp8: 1, fp4: 1 }
/** Memory for weights and cache; the rest is activations, graphs and context (vLLM's default share). */
export const USABLE_MEMORY = 0.9
/**
 * Share of the rate of training's multiplies that serving keeps: batches are smaller and mixed. With the sum of reading and
 * multiplying below, it brings 90 throughputs that NVIDIA prints for TensorRT-LLM 1.0 under full load to a median error of 6 %.
 */
export const SERVING_MATMUL = 0.65
/** Seconds that a layer's kernels take to start inside a CUDA graph: about eight of a microsecond each. */
const LAYER_OVERHEAD = 8e-6
/** Seconds for scheduling and sampling between two decoding steps. */
const STEP_OVERHEAD = 1e-3
/** Small messages go by one-shot collectives, far quicker than rings of large ones. */
const SMALL_MESSAGE_LATENCY = 8e-6
/** Replicas run below this share of what they could do, so that queues stay short. */
export const LOAD_SHARE = 0.8

/**
 * The cheapest replicas that carry a request mix within its latencies, or why none do.
 * Prefill is bound by matrix multiplies, decoding by reading weights and cache (Pope et al., arXiv 2211.05102, section 2) and then by
 * multiplies, since multiplies and attention over the cache are kernels one after the other; requests join and leave a running
 * batch, which their prefills interrupt (Orca, OSDI 2022).
 */
export function estimateServing(input: ServingInput): Result<ServingPlan, string> {
  const { shape, machine, mix } = input
  if (machine.gpu.flops[input.precision] === undefined && input.precision !== 'fp8') {
    return refuse(`${machine.gpu.name} cannot compute in ${input.precision}`)
  }
  for (const field of ['inputTokens', 'outputTokens', 'requestsPerSecond'] as const) {
    if (!(mix[field] > 0)) return refuse(`${field} is ${mix[field]}; it must be above 0`)
  }
  const sizes = input.gpusPerReplica ? [input.gpusPerReplica] : replicaSizes(shape, machine)
  let best: ServingPlan | undefined
  let fits = false
  for (const size of sizes) {
    const replica = servingReplica(input, size)
    if (replica.memoryBatch < 1) continue
    fits = true
    const plan = planOf(input, replica)
    if (plan && (!best || plan.dollarsPerHour < best.dollarsPerHour * (1 - 1e-9))) best = plan
  }
  if (best) return ok(best)
  return refuse(
    fits
      ? `no replica of ${shape.name} on ${machine.gpu.name} answers within the latencies asked for; allow more time or take a faster GPU`
      : `${shape.name} in ${input.precision} with a context of ${mix.inputTokens + mix.outputTokens} tokens fits no replica of up to ${sizes.at(-1)} x ${machine.gpu.name}`,
  )
}

/** Bytes of keys and values for each token of context, over all layers. */
export function cacheBytesPerToken(shape: ModelShape, precision: Precision): number {
  const { latentAttention: latent, window, blocks } = shape
  const width = latent ? latent.keyValueRank + latent.ropeDim : 2 * shape.kvHeads * shape.headDim
  return (blocks.attention - (window?.blocks ?? 0)) * width * CACHE_BYTES[precision]
}

/** What one replica of `size` GPUs can do. Seconds. */
export interface ServingReplica {
  readonly size: number
  /** Requests of the mix's lengths whose keys and values fit its memory; below 1 the model itself does not. */
  readonly memoryBatch: number
  readonly weightBytesPerGpu: number
  readonly cacheBytesPerToken: number
  /** Of a request of the mix's input. */
  readonly prefillSeconds: number
  /** One token for each of so many requests. */
  decode(batch: number): { seconds: number; limit: ServingPlan['limit'] }
}

function replicaSizes(shape: ModelShape, machine: Machine): number[] {
  const sizes: number[] = []
  for (let size = 1; size <= Math.min(machine.nvlinkDomain, machine.gpuCount, 16); size *= 2) {
    if (shape.heads % size === 0) sizes.push(size)
  }
  return sizes
}

/** A replica of so many GPUs of the machine, at the lengths of the mix: a roofline, as `estimateServing` reckons with. */
export function servingReplica(input: ServingInput, size: number): ServingReplica {
  const { shape, machine, precision, mix } = input
  const { gpu } = machine
  const constants = resolveConstants(gpu)
  const count = countParameters(shape)
  const weights = count.total * WEIGHT_BYTES[precision]
  const context = mix.inputTokens + mix.outputTokens / 2
  const cache = cacheBytesPerToken(shape, precision)
  const windowBytes = shape.window
    ? shape.window.blocks *
      Math.min(context, shape.window.tokens) *
      2 *
      shape.kvHeads *
      shape.headDim *
      CACHE_BYTES[precision]
    : 0
  const space = shape.stateSpace
  const stateBytes = space ? shape.blocks.mamba * space.heads * space.headDim * space.state * 4 : 0
  // Keys and values are spread over ranks as far as there are heads; latent ones are kept by every rank.
  const spread = shape.latentAttention ? 1 : Math.min(size, shape.kvHeads)
  const perRequest = (cache * context + windowBytes + stateBytes) / spread
  const weightBytesPerGpu = weights / size
  const free = gpu.memoryBytes * USABLE_MEMORY - weightBytesPerGpu
  const memoryBatch = Math.floor(free / perRequest)

  const memoryRate = gpu.memoryBandwidth * constants.memory
  const computeRate = matmulRate(machine, precision, constants) * size * SERVING_MATMUL
  const forward = forwardFlopsPerToken(shape, mix.inputTokens, 'causal')
  const layers = shape.layers
  const group = groupOf(size, 1, machine)
  const prefillExchange =
    size > 1 ? 2 * 2 * layers * ringSeconds(mix.inputTokens * shape.hidden * 2, group, machine, constants) : 0
  const prefillSeconds =
    (forward * mix.inputTokens) / computeRate + prefillExchange * 0.5 + layers * LAYER_OVERHEAD
  const tokenFlops =
    forwardFlopsPerToken(shape, 1, 'causal') +
    4 * context * shape.blocks.attention * shape.heads * shape.headDim

  return {
    size,
    memoryBatch,
    weightBytesPerGpu,
    cacheBytesPerToken: cache,
    prefillSeconds,
    decode(batch) {
      const touched = weightsRead(shape, batch) * WEIGHT_BYTES[precision]
      const memory = touched / size / memoryRate + (batch * perRequest) / memoryRate
      const compute = (tokenFlops * batch) / computeRate
      const exchange =
        size > 1
          ? 2 *
            layers *
            (SMALL_MESSAGE_LATENCY +
              (2 * batch * shape.hidden * 2) / (gpu.nvlinkBandwidth * constants.nvlink))
          : 0
      const seconds = memory + compute + exchange + layers * LAYER_OVERHEAD + STEP_OVERHEAD
      const limit = exchange > Math.max(memory, compute) ? 'network' : compute > memory ? 'compute' : 'memory'
      return { seconds, limit }
    },
  }
}

/** The largest batch within memory and latencies, and as many replicas of it as the requests need. */
function planOf(input: ServingInput, replica: ServingReplica): ServingPlan | undefined {
  const { mix, machine } = input
  const at = (batch: number) => {
    const { seconds, limit } = replica.decode(batch)
    const cycle = mix.outputTokens * seconds + batch * replica.prefillSeconds
    const prefillShare = (batch * replica.prefillSeconds) / cycle
    return {
      limit,
      cycle,
      secondsPerToken: cycle / mix.outputTokens,
      firstTokenSeconds: replica.prefillSeconds * (1 + prefillShare) + seconds,
    }
  }
  const keeps = (batch: number) => {
    const state = at(batch)
    return (
      state.secondsPerToken <= (mix.maxSecondsPerToken ?? Number.POSITIVE_INFINITY) &&
      state.firstTokenSeconds <= (mix.maxFirstTokenSeconds ?? Number.POSITIVE_INFINITY)
    )
  }
  if (!keeps(1)) return undefined
  // Latency grows with the batch, so the largest one that keeps to it is found by halving.
  let low = 1
  let high = Math.min(replica.memoryBatch, 1024)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (keeps(middle)) low = middle
    else high = middle - 1
  }
  const full = at(low)
  const most = low / full.cycle
  const replicas = Math.max(1, Math.ceil(mix.requestsPerSecond / (most * LOAD_SHARE)))
  // At the load that is left for each, by Little's law the batch is rate times time in the system.
  const rate = mix.requestsPerSecond / replicas
  let batch = 1
  for (let i = 0; i < 40; i++) batch = Math.min(low, Math.max(1, rate * at(batch).cycle))
  const state = at(batch)
  const dollarsPerHour = replicas * replica.size * (input.dollarsPerGpuHour ?? machine.gpu.dollarsPerHour)
  const tokens = mix.requestsPerSecond * mix.outputTokens
  return {
    gpusPerReplica: replica.size,
    replicas,
    batch,
    memoryBatch: replica.memoryBatch,
    firstTokenSeconds: state.firstTokenSeconds,
    secondsPerToken: state.secondsPerToken,
    tokensPerSecondPerReplica: most * mix.outputTokens,
    requestsPerSecondPerReplica: most,
    weightBytesPerGpu: replica.weightBytesPerGpu,
    cacheBytesPerToken: replica.cacheBytesPerToken,
    dollarsPerHour,
    dollarsPerMillionTokens: (dollarsPerHour / 3600 / tokens) * 1e6,
    limit: state.limit,
  }
}

/** Weights that one decoding step of a batch reads: all dense ones, and the experts that some token of the batch is sent to. */
function weightsRead(shape: ModelShape, batch: number): number {
  const count = countParameters(shape)
  const experts = shape.experts
  const dense = count.total - count.embedding - shape.blocks.moe * count.routedExperts
  if (!experts) return dense
  const share = 1 - (1 - experts.topK / experts.count) ** batch
  return dense + shape.blocks.moe * count.routedExperts * share
}

/** FLOP/s of large multiplies; FP8 weights on a GPU without FP8 cores are widened first. */
function matmulRate(machine: Machine, precision: Precision, constants: Resolved): number {
  const { flops } = machine.gpu
  if (precision === 'fp4' && flops.fp4) return flops.fp4 * constants.matmulFp4
  if (precision === 'fp8' && flops.fp8) return flops.fp8 * constants.matmulFp8
  return flops.bf16 * constants.matmulBf16
}

/** A machine of one replica's worth of a GPU, for callers that only name the GPU. */
export function servingMachine(machine: Machine): Machine {
  return machineOf(machine.gpu, Math.max(machine.gpuCount, machine.nvlinkDomain), machine)
}
