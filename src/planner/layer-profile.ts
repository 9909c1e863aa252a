import { blockCosts } from './blocks.ts'
import type { Resolved } from './calibration.ts'
import { groupOf, ringSeconds } from './collectives.ts'
import type { Machine } from './gpu.ts'
import { BYTES, coreSeconds, matmulSeconds, memoryRate, type RankWork } from './kernels.ts'
import { gradientBytesOf, weightsOfLayer } from './layer-weights.ts'
import type { ModelShape } from './model-shape.ts'
import type { Strategy } from './strategy.ts'

/** Where the time of a layer goes, in seconds. `launch` is what the host adds where it cannot keep up with the GPU. */
export interface LayerSeconds {
  matmul: number
  attention: number
  memory: number
  launch: number
  tensor: number
  context: number
  expert: number
}

/** Forward and backward time of one micro-batch on one rank: the mean layer, and the vocabulary head. */
export interface LayerProfile {
  readonly forward: LayerSeconds
  /** With recomputation. */
  readonly backward: LayerSeconds
  readonly headForward: number
  readonly headBackward: number
  readonly forwardSeconds: number
  readonly backwardSeconds: number
}

/**
 * The time of one micro-batch in the mean layer on one rank of a tensor, context and expert group.
 * Matrix multiplies run at a rate that falls with small dimensions; attention is one fused kernel, or two multiplies and a
 * softmax over the score matrix; the rest is bound by memory traffic (arXiv 2007.00072, section 4); collectives follow
 * Megatron-LM (arXiv 1909.08053, section 3; 2205.05198, section 4.2) and expert parallelism GShard (2006.16668, section 2.2).
 */
export function layerProfile(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
): LayerProfile {
  const tokens = (strategy.microBatch * strategy.sequence) / strategy.context
  const work = { shape, machine, strategy, constants, tokens }
  const { forward, host } = forwardSeconds(work)
  const backward = backwardSeconds(work, forward, host)
  const forwardTime = total(forward)
  const backwardTime = total(backward)
  const [headForward, headBackward] = headSeconds(work)
  return {
    forward,
    backward,
    headForward,
    headBackward,
    forwardSeconds: forwardTime,
    backwardSeconds: backwardTime,
  }
}

function total(seconds: LayerSeconds): number {
  return (
    seconds.matmul +
    seconds.attention +
    seconds.memory +
    seconds.launch +
    seconds.tensor +
    seconds.context +
    seconds.expert
  )
}

function forwardSeconds(work: RankWork): { forward: LayerSeconds; host: number } {
  const { shape, machine, strategy, constants, tokens } = work
  const { blocks, layers } = shape
  const cost = blockCosts(work)
  const core = coreSeconds(work)
  const collectives = (blocks.attention + blocks.mlp + blocks.moe + blocks.mamba) / layers
  const ring = ringSeconds(
    tokens * shape.hidden * BYTES,
    groupOf(strategy.tensor, 1, machine),
    machine,
    constants,
  )
  const matmul = (cost.matmul / layers) * constants.slowdown
  const attention = ((core.matmul * blocks.attention) / layers) * constants.slowdown
  const memory = ((cost.memory + core.memory * blocks.attention) / layers) * constants.slowdown
  const host = (cost.kernels / layers) * constants.launch
  const launch = launchExcess(matmul + attention + memory, host)
  const forward = {
    matmul,
    attention,
    memory,
    launch,
    tensor: collectives * 2 * ring * constants.tensorExposed,
    context: contextSeconds(work, attention + launch),
    expert: (cost.exchange / layers) * constants.expertExposed,
  }
  return { forward, host }
}

function backwardSeconds(work: RankWork, forward: LayerSeconds, host: number): LayerSeconds {
  const { shape, strategy, constants } = work
  const again = strategy.recompute === 'full' ? 1 : 0
  const selective = strategy.recompute === 'selective'
  // Selective recomputation means the attention core to Megatron-LM, and every other multiply to PyTorch.
  const blocks = selective && constants.traits.torchNative ? 1 : 0
  const core = selective && !constants.traits.torchNative ? 1 : 0
  const gradients = strategy.trains === 'all' ? 2 : 1
  const weights = weightsOfLayer(shape, strategy)
  const accumulation =
    strategy.trains === 'all'
      ? (weights * 2 * gradientBytesOf(strategy, constants) * constants.accumulate) / memoryRate(work)
      : 0
  const seconds = {
    matmul: forward.matmul * (gradients + again + 0.35 * blocks),
    // Fused attention recomputes the scores, so its backward pass has 2.5 times the work at a lower rate (arXiv 2307.08691, section 3.3).
    attention: forward.attention * ((constants.fusedAttention ? 3 : 2) + again + core),
    memory:
      forward.memory * (1.7 + again + 0.7 * blocks + (constants.fusedAttention ? 0 : 0.3 * core)) +
      accumulation,
  }
  const busy = seconds.matmul + seconds.attention + seconds.memory
  const hostLaunches = host * (1.6 + again + 0.6 * blocks)
  return {
    matmul: seconds.matmul,
    attention: seconds.attention,
    memory: seconds.memory,
    launch: launchExcess(busy, hostLaunches),
    // Sequence parallelism gathers each input again for the weight gradient, hidden behind the multiply.
    tensor: forward.tensor * (1 + again + 0.5 * blocks),
    context: forward.context * (2 + again),
    expert: forward.expert * (1 + again),
  }
}

/** Smooth form of max(gpu, host) - gpu, so that a fit can follow it. */
function launchExcess(gpu: number, host: number): number {
  const ratio = host / gpu
  const r2 = ratio * ratio
  return gpu * (Math.sqrt(Math.sqrt(1 + r2 * r2)) - 1)
}

/** Exposed time of passing keys and values around the ring, which attention and the host's delays cover (arXiv 2310.01889). */
function contextSeconds({ shape, machine, strategy, constants, tokens }: RankWork, cover: number): number {
  if (strategy.context <= 1 || shape.blocks.attention === 0) return 0
  const latent = shape.latentAttention
  const keyValueWidth = latent
    ? (shape.heads / strategy.tensor) * (latent.nopeDim + latent.ropeDim + latent.valueDim)
    : 2 * Math.max(1, shape.kvHeads / strategy.tensor) * shape.headDim
  const group = groupOf(strategy.context, strategy.tensor, machine)
  const ring = ringSeconds(tokens * strategy.context * keyValueWidth * BYTES, group, machine, constants)
  const share = shape.blocks.attention / shape.layers
  return share * Math.max(ring * constants.contextExposed, ring - cover / share)
}

function headSeconds(work: RankWork): [number, number] {
  const { shape, machine, strategy, constants, tokens } = work
  const vocabulary = shape.vocabulary / strategy.tensor
  const multiply = matmulSeconds(tokens, vocabulary, shape.hidden, 'bf16', machine, constants)
  // Logits are written, turned into FP32, normalised and read back.
  const loss = (tokens * vocabulary * 10 * constants.elementwise) / memoryRate(work)
  return [(multiply + loss) * constants.slowdown, (2 * multiply + loss) * constants.slowdown]
}
