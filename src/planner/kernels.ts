import type { Resolved } from './calibration.ts'
import { coreWidth } from './flops.ts'
import type { Machine, Precision } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import type { Strategy } from './strategy.ts'

/** One micro-batch of a model on one rank: what the cost of a block depends on. */
export interface RankWork {
  readonly shape: ModelShape
  readonly machine: Machine
  readonly strategy: Strategy
  readonly constants: Resolved
  /** Tokens of the micro-batch on this rank. */
  readonly tokens: number
}

/** Bytes of an activation or weight as it is moved. */
export const BYTES = 2

/** Bytes a second that memory-bound kernels reach. */
export function memoryRate({ machine, constants }: Pick<RankWork, 'machine' | 'constants'>): number {
  return machine.gpu.memoryBandwidth * constants.memory
}

/**
 * Seconds of one matrix multiply. Its rate falls with small dimensions, which leave tiles and waves of the GPU unfilled, and each
 * multiply takes a while to fill and drain.
 */
export function matmulSeconds(
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
  return (
    (2 * (rows + half) * (columns + half) * (depth + half)) / (peak * constants.clock) + constants.matmulRamp
  )
}

/**
 * Seconds of the attention core of one block over `tokens` tokens: fused into one kernel under a causal mask (arXiv 2205.14135,
 * 2307.08691), or as two multiplies with a softmax over the whole score matrix between.
 */
export function coreSeconds(work: RankWork): { matmul: number; memory: number } {
  const { shape, machine, strategy, constants, tokens } = work
  if (shape.blocks.attention === 0) return { matmul: 0, memory: 0 }
  const { tensor } = strategy
  const sequence = Math.min(strategy.sequence, strategy.documentTokens ?? strategy.sequence)
  const windowShare = (shape.window?.blocks ?? 0) / shape.blocks.attention
  const width = coreWidth(shape) / tensor
  if (constants.fusedAttention) {
    const rate = machine.gpu.flops.bf16 * constants.clock * constants.attention * headFactor(shape.headDim)
    const full = (2 * width * tokens * (sequence / 2 + constants.attentionHalf)) / rate
    const windowed = shape.window
      ? (2 * width * tokens * (Math.min(sequence / 2, shape.window.tokens) + constants.attentionHalf)) / rate
      : 0
    return { matmul: (1 - windowShare) * full + windowShare * windowed, memory: 0 }
  }
  // Both multiplies run over the whole matrix, and the scores cross memory: written, masked and normalised, dropped out, read.
  const rate = machine.gpu.flops.bf16 * constants.clock * constants.matmulBf16 * headFactor(shape.headDim)
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
