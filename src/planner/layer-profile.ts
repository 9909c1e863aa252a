import type { Resolved } from './calibration.ts'
import { exchangeSeconds, groupOf, ringSeconds } from './collectives.ts'
import { coreWidth, mambaScanFlops } from './flops.ts'
import type { Machine, Precision } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
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
  const { forward, host } = forwardSeconds(shape, machine, strategy, constants)
  const backward = backwardSeconds(shape, machine, strategy, constants, forward, host)
  const forwardTime = total(forward)
  const backwardTime = total(backward)
  const [headForward, headBackward] = headSeconds(shape, machine, strategy, constants)
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

const BYTES = 2

/** Kernels of one block's forward pass in a fused implementation: norm, multiplies, activation or core, residual. */
const KERNELS = { attention: 8, unfusedCore: 5, mlp: 6, moe: 24, mamba: 14, cast: 3, collective: 2 } as const

function forwardSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
): { forward: LayerSeconds; host: number } {
  const { hidden, blocks, headDim } = shape
  const { tensor, context } = strategy
  const tokens = (strategy.microBatch * strategy.sequence) / context
  const matmul = (rows: number, columns: number, depth: number) =>
    matmulSeconds(rows, columns, depth, strategy.precision, machine, constants)
  const gateWidth = shape.gated ? 2 : 1
  const split = strategy.sequenceParallel ? tensor : 1
  const memoryRate = machine.gpu.memoryBandwidth * constants.memory
  const moved = (values: number) => (values * BYTES * constants.elementwise) / memoryRate

  let multiply = 0
  let traffic = 0
  let kernels = 0
  const casts = strategy.precision === 'bf16' ? 0 : 1

  if (blocks.attention > 0) {
    const latent = shape.latentAttention
    const ownHeads = shape.heads / tensor
    const ownKeyHeads = Math.max(1, shape.kvHeads / tensor)
    let seconds: number
    let width: number
    if (latent) {
      const queryWidth = ownHeads * (latent.nopeDim + latent.ropeDim)
      const upWidth = ownHeads * (latent.nopeDim + latent.valueDim)
      seconds =
        (latent.queryRank
          ? matmul(tokens, latent.queryRank, hidden) + matmul(tokens, queryWidth, latent.queryRank)
          : matmul(tokens, queryWidth, hidden)) +
        matmul(tokens, latent.keyValueRank + latent.ropeDim, hidden) +
        matmul(tokens, upWidth, latent.keyValueRank) +
        matmul(tokens, hidden, ownHeads * latent.valueDim)
      width = queryWidth + upWidth
    } else {
      width = (ownHeads + 2 * ownKeyHeads) * headDim
      seconds = matmul(tokens, width, hidden) + matmul(tokens, hidden, ownHeads * headDim)
    }
    multiply += blocks.attention * seconds
    traffic +=
      blocks.attention * moved(tokens * ((6 * hidden) / split + 3 * width + (casts * (hidden + width)) / 2))
    kernels +=
      blocks.attention *
      (KERNELS.attention +
        (constants.traits.fusedAttention ? 0 : KERNELS.unfusedCore) +
        casts * KERNELS.cast +
        (tensor > 1 ? KERNELS.collective : 0))
  }
  if (blocks.mlp > 0) {
    const inner = shape.ffn / tensor
    multiply += blocks.mlp * (matmul(tokens, gateWidth * inner, hidden) + matmul(tokens, hidden, inner))
    traffic +=
      blocks.mlp *
      moved(tokens * ((6 * hidden) / split + (gateWidth + 1) * inner + (casts * (hidden + inner)) / 2))
    kernels += blocks.mlp * (KERNELS.mlp + casts * KERNELS.cast + (tensor > 1 ? KERNELS.collective : 0))
  }
  let expertTime = 0
  if (blocks.moe > 0 && shape.experts) {
    const moe = moeSeconds(shape, machine, strategy, constants, tokens)
    multiply += blocks.moe * moe.matmul
    traffic += blocks.moe * (moved((tokens * (6 * hidden)) / split) + moe.memory)
    expertTime = blocks.moe * moe.exchange
    const ownExperts = shape.experts.count / strategy.expert
    kernels +=
      blocks.moe *
      (KERNELS.moe +
        casts * KERNELS.cast +
        ownExperts * constants.expertKernels * (1 + casts) +
        (tensor > 1 ? KERNELS.collective : 0))
  }
  if (blocks.mamba > 0 && shape.stateSpace) {
    const space = shape.stateSpace
    const inner = (space.heads * space.headDim) / tensor
    const mixed = inner + (2 * space.groups * space.state) / Math.min(tensor, space.groups)
    multiply +=
      blocks.mamba *
      (matmul(tokens, inner + mixed + space.heads / tensor, hidden) +
        matmul(tokens, hidden, inner) +
        (tokens * mambaScanFlops(shape)) / tensor / (machine.gpu.flops.bf16 * constants.scan))
    traffic += blocks.mamba * moved(tokens * ((6 * hidden) / split + 4 * (inner + mixed)))
    kernels += blocks.mamba * (KERNELS.mamba + casts * KERNELS.cast + (tensor > 1 ? KERNELS.collective : 0))
  }

  const core = coreSeconds(shape, machine, strategy, constants, tokens)
  const layers = shape.layers
  const collectives = (blocks.attention + blocks.mlp + blocks.moe + blocks.mamba) / layers
  const tensorTime =
    collectives *
    2 *
    ringSeconds(tokens * hidden * BYTES, groupOf(tensor, 1, machine), machine, constants) *
    constants.tensorExposed
  const gpu = {
    matmul: (multiply / layers) * constants.slowdown,
    attention: ((core.matmul * blocks.attention) / layers) * constants.slowdown,
    memory: ((traffic + core.memory * blocks.attention) / layers) * constants.slowdown,
  }
  const busy = gpu.matmul + gpu.attention + gpu.memory
  const host = (kernels / layers) * constants.launch
  const launch = launchExcess(busy, host)
  const forward = {
    matmul: gpu.matmul,
    attention: gpu.attention,
    memory: gpu.memory,
    launch,
    tensor: tensorTime,
    context: contextSeconds(shape, machine, strategy, constants, tokens, gpu.attention + launch),
    expert: (expertTime / layers) * constants.expertExposed,
  }
  return { forward, host }
}

function backwardSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  forward: LayerSeconds,
  host: number,
): LayerSeconds {
  const again = strategy.recompute === 'full' ? 1 : 0
  const selective = strategy.recompute === 'selective'
  // Selective recomputation means the attention core to Megatron-LM, and every other multiply to PyTorch.
  const blocks = selective && constants.traits.torchNative ? 1 : 0
  const core = selective && !constants.traits.torchNative ? 1 : 0
  const gradients = strategy.trains === 'all' ? 2 : 1
  const memoryRate = machine.gpu.memoryBandwidth * constants.memory
  const weights = weightsOfLayer(shape, strategy)
  const accumulation =
    strategy.trains === 'all'
      ? (weights * 2 * gradientBytesOf(strategy, constants) * constants.accumulate) / memoryRate
      : 0
  const seconds = {
    matmul: forward.matmul * (gradients + again + 0.35 * blocks),
    // Fused attention recomputes the scores, so its backward pass has 2.5 times the work at a lower rate (arXiv 2307.08691, section 3.3).
    attention: forward.attention * ((constants.traits.fusedAttention ? 3 : 2) + again + core),
    memory:
      forward.memory * (1.7 + again + 0.7 * blocks + (constants.traits.fusedAttention ? 0 : 0.3 * core)) +
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

function matmulSeconds(
  rows: number,
  columns: number,
  depth: number,
  precision: Precision,
  machine: Machine,
  constants: Resolved,
): number {
  const { flops } = machine.gpu
  const peak =
    precision === 'fp8'
      ? (flops.fp8 ?? flops.bf16) * constants.matmulFp8
      : precision === 'fp4'
        ? (flops.fp4 ?? flops.bf16) * constants.matmulFp4
        : flops.bf16 * constants.matmulBf16
  const half = constants.matmulHalf
  return (2 * (rows + half) * (columns + half) * (depth + half)) / peak + constants.matmulRamp
}

function coreSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  tokens: number,
): { matmul: number; memory: number } {
  if (shape.blocks.attention === 0) return { matmul: 0, memory: 0 }
  const { tensor } = strategy
  const sequence = Math.min(strategy.sequence, strategy.documentTokens ?? strategy.sequence)
  const windowShare = (shape.window?.blocks ?? 0) / shape.blocks.attention
  const width = coreWidth(shape) / tensor
  if (constants.traits.fusedAttention) {
    const rate = machine.gpu.flops.bf16 * constants.attention * headFactor(shape.headDim)
    const full = (2 * width * tokens * (sequence / 2 + constants.attentionHalf)) / rate
    const windowed = shape.window
      ? (2 * width * tokens * (Math.min(sequence / 2, shape.window.tokens) + constants.attentionHalf)) / rate
      : 0
    return { matmul: (1 - windowShare) * full + windowShare * windowed, memory: 0 }
  }
  // Both multiplies run over the whole matrix, and the scores cross memory: written, masked and normalised, dropped out, read.
  const rate = machine.gpu.flops.bf16 * constants.matmulBf16 * headFactor(shape.headDim)
  const scores = (tokens * sequence * shape.heads) / tensor
  return {
    matmul: (2 * width * tokens * sequence) / rate / 0.6,
    memory:
      (scores * 11 * Math.sqrt(constants.elementwise)) / (machine.gpu.memoryBandwidth * constants.memory),
  }
}

/**
 * Narrow heads leave tensor cores idle: FlashAttention-2 reaches about 0.8 of its rate at 64 (arXiv 2307.08691, figure 4).
 * Widths that are no multiple of 8 miss the alignment that tensor cores need (NVIDIA, matrix multiplication guide, section 2).
 */
function headFactor(headDim: number): number {
  const width = Math.min(1, (1.25 * headDim) / (headDim + 32))
  return headDim % 8 === 0 ? width : width / 8
}

/** Exposed time of passing keys and values around the ring, which attention and the host's delays cover (arXiv 2310.01889). */
function contextSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  tokens: number,
  cover: number,
): number {
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

function moeSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
  tokens: number,
): { matmul: number; memory: number; exchange: number } {
  const experts = shape.experts!
  const { tensor, expert, expertTensor } = strategy
  const matmul = (rows: number, columns: number, depth: number) =>
    matmulSeconds(rows, columns, depth, strategy.precision, machine, constants)
  const gateWidth = shape.gated ? 2 : 1
  const width = experts.latent ?? shape.hidden
  // Tokens are split over tensor ranks before they are routed, unless those ranks share each expert.
  const routed = ((tokens * experts.topK) / tensor) * expertTensor
  const own = experts.count / expert
  const perExpert = routed / own
  const inner = experts.ffn / expertTensor
  const grouped = groupedSeconds(own, perExpert, gateWidth * inner, width, strategy, machine, constants)
  const groupedDown = groupedSeconds(own, perExpert, width, inner, strategy, machine, constants)
  const shared =
    experts.sharedFfn > 0
      ? matmul(tokens, (gateWidth * experts.sharedFfn) / tensor, shape.hidden) +
        matmul(tokens, shape.hidden, experts.sharedFfn / tensor)
      : 0
  const latent = experts.latent
    ? matmul(tokens / tensor, experts.latent, shape.hidden) +
      matmul(tokens / tensor, shape.hidden, experts.latent)
    : 0
  const router = matmul(tokens / tensor, experts.count, shape.hidden)
  const memoryRate = machine.gpu.memoryBandwidth * constants.memory
  const moved =
    routed * (4 * width + (gateWidth + 1) * inner) + (tokens * gateWidth * experts.sharedFfn * 1.5) / tensor
  const group = groupOf(expert, expertTensor > 1 ? tensor : 1, machine)
  const bytes = (tokens / tensor) * width * BYTES
  return {
    matmul: (grouped + groupedDown) / constants.groupedMatmul + shared + latent + router,
    memory: (moved * BYTES * constants.routing) / memoryRate,
    exchange: 2 * exchangeSeconds(bytes, experts.topK, group, machine, constants),
  }
}

/** One multiply for each of `count` experts in one launch; each also reads its own weights. */
function groupedSeconds(
  count: number,
  rows: number,
  columns: number,
  depth: number,
  strategy: Strategy,
  machine: Machine,
  constants: Resolved,
): number {
  const compute =
    count *
    (matmulSeconds(rows, columns, depth, strategy.precision, machine, constants) - constants.matmulRamp)
  const read = (count * columns * depth * BYTES) / (machine.gpu.memoryBandwidth * constants.memory)
  return Math.max(compute, read) + constants.matmulRamp
}

function headSeconds(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved,
): [number, number] {
  const tokens = (strategy.microBatch * strategy.sequence) / strategy.context
  const vocabulary = shape.vocabulary / strategy.tensor
  const multiply = matmulSeconds(tokens, vocabulary, shape.hidden, 'bf16', machine, constants)
  // Logits are written, turned into FP32, normalised and read back.
  const loss =
    (tokens * vocabulary * 10 * constants.elementwise) / (machine.gpu.memoryBandwidth * constants.memory)
  return [(multiply + loss) * constants.slowdown, (2 * multiply + loss) * constants.slowdown]
}

/** Weights of the mean layer on one rank. */
export function weightsOfLayer(shape: ModelShape, strategy: Strategy): number {
  const { dense, routed } = layerWeights(shape)
  return dense / strategy.tensor + routed / (strategy.expert * strategy.expertTensor)
}

const WEIGHTS = new WeakMap<ModelShape, { dense: number; routed: number }>()

/** Weights of the mean layer by how they are spread: over tensor ranks, or over expert groups. */
export function layerWeights(shape: ModelShape): { dense: number; routed: number } {
  let weights = WEIGHTS.get(shape)
  if (!weights) {
    const count = countParameters(shape)
    const { blocks, layers } = shape
    weights = {
      dense:
        (blocks.attention * count.attentionBlock +
          blocks.mlp * count.mlpBlock +
          blocks.moe * (count.moeBlock - count.routedExperts) +
          blocks.mamba * count.mambaBlock) /
        layers,
      routed: (blocks.moe * count.routedExperts) / layers,
    }
    WEIGHTS.set(shape, weights)
  }
  return weights
}

/** Bytes of a gradient as it is accumulated and exchanged. */
export function gradientBytesOf(strategy: Strategy, constants: Resolved): number {
  return strategy.gradientBytes ?? constants.traits.gradientBytes
}
