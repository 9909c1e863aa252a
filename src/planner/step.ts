import type { Resolved } from './calibration.ts'
import { groupOf, ringSeconds } from './collectives.ts'
import type { Machine } from './gpu.ts'
import { type LayerProfile, layerProfile } from './layer-profile.ts'
import { gradientBytesOf, layerWeights } from './layer-weights.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import { stageLoad } from './stage.ts'
import { dataRanks, microBatches, type Strategy } from './strategy.ts'

/** Where the time of one optimizer step goes, in seconds. The parts add up to `total`. */
export interface StepSeconds {
  readonly matmul: number
  readonly attention: number
  readonly memory: number
  /** Host time that the GPU waits for. */
  readonly launch: number
  /** Exposed communication of tensor, context and expert groups, between stages and between data ranks. */
  readonly tensor: number
  readonly context: number
  readonly expert: number
  readonly pipeline: number
  readonly data: number
  /** Idle time while the pipeline fills and drains. */
  readonly bubble: number
  readonly optimizer: number
  readonly overhead: number
  readonly total: number
}

/**
 * The time of one training step by part.
 * A pipeline of p stages works through m micro-batches in m times its slowest stage plus the other stages once, divided by the
 * chunks of interleaving (arXiv 2104.04473, section 2.2). Data ranks exchange gradients and weights once a step, hidden behind
 * the last backward pass as far as it lasts; sharded weights (ZeRO-3) are gathered for every layer and micro-batch.
 */
export function stepSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  profile: LayerProfile = layerProfile(shape, machine, strategy, constants),
): StepSeconds {
  const { pipeline, interleave } = strategy
  const micro = microBatches(strategy, machine)
  const head = profile.headForward + profile.headBackward
  const gather = shardedExposure(shape, machine, strategy, constants, profile)
  const layer = profile.forwardSeconds + profile.backwardSeconds + gather
  const load = stageLoad(shape, pipeline, interleave, layer, head)
  const stage = load.layers * layer + load.heads * head
  const allLayers = shape.layers + shape.predictionLayers
  const everything = allLayers * layer + (1 + shape.predictionLayers) * head
  const bubble = (everything - stage) / interleave

  const { forward, backward } = profile
  const layers = load.layers * micro
  const heads = load.heads * micro
  const hop = hopSeconds(shape, machine, strategy, constants)
  const hops = pipeline > 1 ? 2 * hop * (micro * interleave * constants.pipelineExposed + (pipeline - 1)) : 0

  const stageLayers = allLayers / pipeline
  const reduce = dataSeconds(shape, machine, strategy, constants, stageLayers)
  // With interleaving, a chunk's gradients are done while the other chunks still run through the last round of micro-batches.
  const rounds =
    interleave > 1 ? 1 / interleave + (Math.min(micro, pipeline) * (interleave - 1)) / interleave : 1
  const window = stageLayers * (profile.forwardSeconds + profile.backwardSeconds) * rounds
  const data =
    reduce * constants.dataExposed +
    Math.max(0, reduce * (1 - constants.dataExposed) - window) +
    layers * gather

  const nodes = machine.gpuCount / machine.gpusPerNode
  const straggle = nodes > 1 ? constants.straggle * Math.log2(nodes) : 0
  const optimizer = optimizerSeconds(shape, machine, strategy, constants, stageLayers)
  const matmul = layers * (forward.matmul + backward.matmul) + heads * head
  const attention = layers * (forward.attention + backward.attention)
  const memory = layers * (forward.memory + backward.memory)
  const launch = layers * (forward.launch + backward.launch)
  const tensor = layers * (forward.tensor + backward.tensor)
  const context = layers * (forward.context + backward.context)
  const expert = layers * (forward.expert + backward.expert)
  const busy =
    matmul + attention + memory + launch + tensor + context + expert + hops + data + bubble + optimizer
  const overhead = constants.stepOverhead + constants.microOverhead * micro + straggle * busy
  return {
    matmul,
    attention,
    memory,
    launch,
    tensor,
    context,
    expert,
    pipeline: hops,
    data,
    bubble,
    optimizer,
    overhead,
    total: busy + overhead,
  }
}

/** Seconds to pass one micro-batch's activations to the next stage. */
function hopSeconds(shape: ModelShape, machine: Machine, strategy: Strategy, constants: Resolved): number {
  const { tensor, context, pipeline } = strategy
  if (pipeline === 1) return 0
  const bytes = (strategy.microBatch * strategy.sequence * shape.hidden * 2) / context / tensor
  const near = machine.gpuCount <= machine.nvlinkDomain
  return near
    ? bytes / (machine.gpu.nvlinkBandwidth * constants.nvlink) + constants.nvlinkLatency
    : bytes / (machine.nicBandwidth * constants.network) + constants.nvlinkLatency + constants.networkLatency
}

/** Exposed time of gathering sharded weights (ZeRO-3) and scattering sharded gradients (from ZeRO-2 on), for one layer and micro-batch. */
function shardedExposure(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  profile: LayerProfile,
): number {
  if (strategy.sharding < 2) return 0
  const { tensor, context, expert, expertTensor } = strategy
  const data = dataRanks(strategy, machine)
  const { dense, routed } = layerWeights(shape)
  const denseRanks = Math.min(strategy.shardGroup ?? Number.POSITIVE_INFINITY, data * context)
  const expertRanks = Math.max(1, (tensor * context * data) / (expert * expertTensor))
  const group = groupOf(denseRanks, tensor, machine)
  const expertGroup = groupOf(Math.min(expertRanks, denseRanks), expert * expertTensor, machine)
  const ring = (bytes: number) =>
    ringSeconds((dense / tensor) * bytes, group, machine, constants) +
    ringSeconds((routed / (expert * expertTensor)) * bytes, expertGroup, machine, constants)
  const gather = strategy.sharding === 3 ? ring(2) : 0
  const scatter = strategy.trains === 'all' ? ring(gradientBytesOf(strategy, constants)) : 0
  const hidden = 1 - constants.dataExposed
  const forward = gather * constants.dataExposed + Math.max(0, gather * hidden - profile.forwardSeconds)
  const backwardBytes = gather + scatter
  const backward =
    backwardBytes * constants.dataExposed + Math.max(0, backwardBytes * hidden - profile.backwardSeconds)
  return forward + backward
}

/** Seconds to exchange one step's gradients, and updated weights where the optimizer is sharded, before any is hidden. */
function dataSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  stageLayers: number,
): number {
  if (strategy.trains !== 'all') return 0
  const { tensor, context, expert, expertTensor, sharding } = strategy
  const data = dataRanks(strategy, machine)
  const { dense, routed } = layerWeights(shape)
  const denseWeights = (stageLayers * dense + vocabularyWeights(shape, strategy.pipeline)) / tensor
  const expertWeights = (stageLayers * routed) / (expert * expertTensor)
  const denseRanks = data * context
  const expertRanks = Math.max(1, (tensor * context * data) / (expert * expertTensor))
  const replicas = strategy.shardGroup ? Math.max(1, denseRanks / strategy.shardGroup) : 1
  if (sharding === 3) {
    // Hybrid sharding sums each shard's gradients over the replicas of the group.
    if (replicas <= 1) return 0
    const group = groupOf(replicas, tensor * (strategy.shardGroup ?? 1), machine)
    const shard = (denseWeights + expertWeights) / (strategy.shardGroup ?? 1)
    return 2 * ringSeconds(shard * gradientBytesOf(strategy, constants), group, machine, constants)
  }
  const gradients = gradientBytesOf(strategy, constants)
  // Replicas sum and spread gradients in one; a sharded optimizer gets its shard of them and spreads weights.
  const exchanged = sharding === 0 ? 2 * gradients : sharding === 1 ? gradients + 2 : 2
  return (
    ringSeconds(denseWeights * exchanged, groupOf(denseRanks, tensor, machine), machine, constants) +
    ringSeconds(
      expertWeights * exchanged,
      groupOf(expertRanks, expert * expertTensor, machine),
      machine,
      constants,
    )
  )
}

/** Adam reads and writes two moments and the master weights, reads the gradient twice and writes BF16 weights: 34 bytes a parameter. */
const OPTIMIZER_BYTES = 34

function optimizerSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  stageLayers: number,
): number {
  if (strategy.trains !== 'all') return 0
  const { tensor, context, expert, expertTensor, sharding } = strategy
  const { dense, routed } = layerWeights(shape)
  const denseRanks =
    sharding >= 1
      ? Math.min(strategy.shardGroup ?? Number.POSITIVE_INFINITY, dataRanks(strategy, machine) * context)
      : 1
  const expertRanks =
    sharding >= 1
      ? Math.max(1, (tensor * context * dataRanks(strategy, machine)) / (expert * expertTensor))
      : 1
  const weights =
    (stageLayers * dense + vocabularyWeights(shape, strategy.pipeline)) / tensor / denseRanks +
    (stageLayers * routed) / (expert * expertTensor) / expertRanks
  return (weights * OPTIMIZER_BYTES) / (machine.gpu.memoryBandwidth * constants.memory)
}

/** Embedding and head of the stage that has more of them. */
function vocabularyWeights(shape: ModelShape, pipeline: number): number {
  const count = countParameters(shape)
  return pipeline === 1 ? count.embedding + count.head : Math.max(count.embedding, count.head)
}
