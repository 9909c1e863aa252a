import { ok, type Result, refuse } from '../base/index.ts'
import type { Machine, Precision } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'

export type Recompute = 'none' | 'selective' | 'full'

/**
 * How one training step is spread over a machine. Ranks are laid out tensor first, then context, data and pipeline,
 * so that tensor groups lie closest together (Megatron-LM's order).
 */
export interface Strategy {
  readonly tensor: number
  readonly context: number
  readonly pipeline: number
  /** Model chunks on each pipeline rank; 1 is plain one-forward-one-backward. */
  readonly interleave: number
  /** Groups of experts, formed out of the tensor, context and data ranks. */
  readonly expert: number
  /** Tensor ranks that share each expert. */
  readonly expertTensor: number
  readonly microBatch: number
  readonly globalBatch: number
  readonly sequence: number
  /** ZeRO stage: 0 replicates, 1 shards the optimizer, 2 gradients too, 3 weights too (FSDP). */
  readonly sharding: 0 | 1 | 2 | 3
  /** Ranks that one set of shards is spread over; all data ranks where absent, a node's for hybrid sharding. */
  readonly shardGroup?: number
  readonly recompute: Recompute
  /** Norms and residuals split over the tensor ranks too (arXiv 2205.05198). */
  readonly sequenceParallel: boolean
  readonly precision: Precision
  /** `adapters` trains low-rank additions only: no weight gradients, no exchange of them (arXiv 2106.09685). */
  readonly trains: 'all' | 'adapters'
  /** Tokens of a document where several are packed into one sequence: attention does not cross them. */
  readonly documentTokens?: number
  /** Bytes of a gradient where a job departs from its software's usual choice. */
  readonly gradientBytes?: 2 | 4
}

/** Data ranks that a strategy leaves on a machine: the GPUs over tensor, context and pipeline ranks. */
export function dataRanks(strategy: Strategy, machine: Machine): number {
  return machine.gpuCount / (strategy.tensor * strategy.context * strategy.pipeline)
}

/** Micro-batches that each pipeline works through in one step. */
export function microBatches(strategy: Strategy, machine: Machine): number {
  return strategy.globalBatch / (dataRanks(strategy, machine) * strategy.microBatch)
}

/**
 * Nothing, or the sentence that says which numbers do not divide or which link is missing.
 * `uneven` lets pipeline stages differ, as hand-made layouts do.
 */
export function checkStrategy(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  uneven = false,
): Result<undefined, string> {
  const { tensor, context, pipeline, interleave, expert, expertTensor } = strategy
  for (const [name, value] of Object.entries({
    tensor,
    context,
    pipeline,
    interleave,
    expert,
    expertTensor,
    microBatch: strategy.microBatch,
    globalBatch: strategy.globalBatch,
  })) {
    if (!(Number.isInteger(value) && value >= 1))
      return refuse(`${name} is ${value}; it must be a whole number above 0`)
  }
  const ranks = tensor * context * pipeline
  const data = machine.gpuCount / ranks
  if (!Number.isInteger(data)) {
    return refuse(
      `${machine.gpuCount} GPUs are not divisible by tensor ${tensor} x context ${context} x pipeline ${pipeline} = ${ranks}`,
    )
  }
  if (!canSplit(shape, tensor)) {
    return refuse(
      `${shape.heads} heads${shape.kvHeads < shape.heads ? ` and ${shape.kvHeads} KV heads` : ''} are not divisible by tensor ${tensor}`,
    )
  }
  const chunks = pipeline * interleave
  if (chunks > shape.layers + 2 || (chunks > 1 && !uneven && !canCut(shape, pipeline, interleave))) {
    return refuse(
      `${shape.layers} layers are not divisible by pipeline ${pipeline}${interleave > 1 ? ` x ${interleave} chunks` : ''}, with or without embedding and head`,
    )
  }
  if (strategy.globalBatch % (data * strategy.microBatch) !== 0) {
    return refuse(
      `global batch ${strategy.globalBatch} is not divisible by data ${data} x micro-batch ${strategy.microBatch}`,
    )
  }
  if (strategy.sequence % context !== 0) {
    return refuse(`sequence ${strategy.sequence} is not divisible by context ${context}`)
  }
  if (expert > 1) {
    if (!shape.experts)
      return refuse(`expert parallelism ${expert} was asked for, and ${shape.name} has no experts`)
    if (shape.experts.count % expert !== 0) {
      return refuse(`${shape.experts.count} experts are not divisible by expert ${expert}`)
    }
    if ((tensor * context * data) % (expert * expertTensor) !== 0) {
      return refuse(
        `expert ${expert} x expert tensor ${expertTensor} does not divide the ${tensor * context * data} ranks of a stage`,
      )
    }
  }
  const flops = machine.gpu.flops[strategy.precision]
  if (flops === undefined) {
    return refuse(
      `${machine.gpu.name} has no ${strategy.precision.toUpperCase()} tensor cores; plan with bf16`,
    )
  }
  if (machine.gpuCount > machine.nvlinkDomain && machine.nicBandwidth <= 0) {
    return refuse(
      `${machine.gpuCount} GPUs do not fit one NVLink domain of ${machine.nvlinkDomain}, and the node type has no network link`,
    )
  }
  return ok(undefined)
}

/** Whether attention splits evenly over tensor ranks; where there are fewer KV heads than ranks, each is kept by as many. */
export function canSplit(shape: ModelShape, tensor: number): boolean {
  const { heads, kvHeads } = shape
  return heads % tensor === 0 && (kvHeads % tensor === 0 || tensor % kvHeads === 0)
}

/**
 * Whether the chunks of a pipeline come out even: layers divide, or they do once embedding and head count as a layer each
 * (Megatron-LM's account of both in the pipeline split).
 */
export function canCut(shape: ModelShape, pipeline: number, interleave: number): boolean {
  const chunks = pipeline * interleave
  const layers = shape.layers + shape.predictionLayers
  return shape.layers % chunks === 0 || layers % chunks === 0 || (layers + 2) % chunks === 0
}
