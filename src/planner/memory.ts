import type { Resolved } from './calibration.ts'
import type { Machine } from './gpu.ts'
import { gradientBytesOf, layerWeights } from './layer-weights.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import { dataRanks, microBatches, type Strategy } from './strategy.ts'

/** Bytes on the fullest GPU by what they are for. */
export interface MemoryBytes {
  readonly weights: number
  readonly gradients: number
  readonly optimizer: number
  readonly activations: number
  readonly logits: number
  readonly buffers: number
  readonly total: number
}

/** Share of short-lived tensors that the allocator loses to rounding. */
const FRAGMENTATION = 0.03

/**
 * Memory of the first and of the last pipeline stage, whichever is fuller.
 * Weights, gradients and Adam's states after ZeRO (arXiv 1910.02054, section 3); activations after arXiv 2205.05198
 * (equations 1 to 6 and appendix B for interleaving), restated by tensor so that GQA, gates and experts count; logits at the peak
 * of the loss.
 */
export function memoryBytes(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
): MemoryBytes {
  const activation = activationBytesPerToken(shape, strategy, constants)
  const first = stageBytes(shape, machine, strategy, constants, activation, false)
  if (strategy.pipeline === 1) return first
  const last = stageBytes(shape, machine, strategy, constants, activation, true)
  return last.total > first.total ? last : first
}

function stageBytes(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  activation: number,
  last: boolean,
): MemoryBytes {
  const { tensor, context, pipeline, interleave, expert, expertTensor, sharding } = strategy
  const count = countParameters(shape)
  const data = dataRanks(strategy, machine)
  const layers = (shape.layers + (last || pipeline === 1 ? shape.predictionLayers : 0) * pipeline) / pipeline
  const { dense } = layerWeights(shape)
  const routed = last && pipeline > 1 ? lastLayerExperts(shape) : layerWeights(shape).routed
  const vocabulary =
    pipeline === 1
      ? count.embedding + count.head
      : last
        ? Math.max(count.head, shape.vocabulary * shape.hidden)
        : count.embedding
  const denseWeights = (layers * dense + vocabulary) / tensor
  const expertWeights = (layers * routed) / (expert * expertTensor)

  const denseRanks = Math.max(1, Math.min(strategy.shardGroup ?? Number.POSITIVE_INFINITY, data * context))
  const expertRanks = Math.max(1, Math.min(denseRanks, (tensor * context * data) / (expert * expertTensor)))
  const whole = denseWeights + expertWeights
  const shard = denseWeights / denseRanks + expertWeights / expertRanks
  const all = strategy.trains === 'all'
  const master = sharding === 3 && constants.traits.torchNative
  const frozenBytes = strategy.precision === 'bf16' ? 2 : 1
  const weightBytes = all ? 2 : frozenBytes
  const weights =
    sharding === 3
      ? shard * (master ? 4 : 2) +
        2 * 2 * (dense / tensor + routed / (expert * expertTensor)) +
        (vocabulary / tensor) * 2
      : whole * weightBytes
  const gradientBytes = gradientBytesOf(strategy, constants)
  const gradients = all
    ? (sharding >= 2 ? shard : whole) * (sharding === 3 && !master ? 2 : gradientBytes)
    : 0
  const optimizer = all ? (sharding >= 1 ? shard : whole) * (master ? 8 : 12) : 0.01 * whole * 16

  const tokens = (strategy.microBatch * strategy.sequence) / context
  const inFlight =
    pipeline === 1
      ? 1
      : Math.min(
          microBatches(strategy, machine),
          last
            ? 1 + (interleave > 1 ? (pipeline - 1) / interleave : 0)
            : pipeline + (interleave > 1 ? (pipeline - 1) / interleave : 0),
        )
  const perLayer = tokens * activation
  const layerInput = (tokens * shape.hidden * 2) / (strategy.sequenceParallel ? tensor : 1)
  const activations =
    strategy.recompute === 'full'
      ? inFlight * layers * layerInput + perLayer
      : inFlight *
        layers *
        perLayer *
        (strategy.recompute === 'selective' && constants.traits.torchNative ? 0.45 : 1)
  const hasHead = last || pipeline === 1
  const logits = hasHead ? ((tokens * shape.vocabulary) / tensor) * constants.traits.logitBytes : 0
  const held = weights + gradients + optimizer + activations + logits
  const buffers = constants.traits.reservedBytes + FRAGMENTATION * (activations + logits)
  return { weights, gradients, optimizer, activations, logits, buffers, total: held + buffers }
}

/** Expert weights of a layer at the end of the model: dense layers stand at its start, unless both kinds alternate. */
function lastLayerExperts(shape: ModelShape): number {
  const { blocks } = shape
  const leading = blocks.mlp > 0 && blocks.mamba === 0 && blocks.mlp < blocks.moe
  return leading ? countParameters(shape).routedExperts : layerWeights(shape).routed
}

/** Bytes that the mean layer keeps for its backward pass, for each token of a micro-batch on a rank. */
export function activationBytesPerToken(shape: ModelShape, strategy: Strategy, constants: Resolved): number {
  const { hidden, blocks } = shape
  const { tensor } = strategy
  const split = strategy.sequenceParallel ? tensor : 1
  const gateWidth = shape.gated ? 2 : 1
  const dropout = shape.norm === 'layer' && shape.biases === 'all' ? hidden / split : 0
  const latent = shape.latentAttention
  const qkv = latent
    ? (shape.heads / tensor) * (3 * (latent.nopeDim + latent.ropeDim) + latent.valueDim)
    : ((shape.heads + 2 * shape.kvHeads) * shape.headDim) / tensor
  const coreOut = ((latent ? latent.valueDim : shape.headDim) * shape.heads) / tensor
  const scores =
    constants.fusedAttention || strategy.recompute === 'selective'
      ? 0
      : (5 * shape.heads * strategy.sequence) / tensor
  const attention = (4 * hidden) / split + dropout + 2 * (qkv + coreOut) + scores
  const mlp = (4 * hidden) / split + dropout + (2 * (gateWidth + 1) * shape.ffn) / tensor
  const experts = shape.experts
  const moe = experts
    ? (4 * hidden) / split +
      (2 * experts.topK * ((experts.latent ?? hidden) + (gateWidth + 1) * experts.ffn)) / tensor +
      (2 * (gateWidth + 1) * experts.sharedFfn) / tensor
    : 0
  const space = shape.stateSpace
  const inner = space ? space.heads * space.headDim : 0
  const mamba = space ? (4 * hidden) / split + (2 * (4 * inner + 4 * space.groups * space.state)) / tensor : 0
  const bytes =
    (blocks.attention * attention + blocks.mlp * mlp + blocks.moe * moe + blocks.mamba * mamba) / shape.layers
  return bytes
}
