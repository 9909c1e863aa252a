import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'

export type FlopsConvention =
  /** What the hardware must compute: half of the attention matrix under a causal mask, each matrix multiply once. */
  | 'causal'
  /** The whole attention matrix, as most papers count model FLOPs. */
  | 'full'

/**
 * Floating-point operations of one training step's forward and backward pass for one token, without recomputation.
 * Six per parameter of a matrix multiply (two forward, four backward), 12 h s per layer for the attention core
 * (Kaplan et al. 2020, table 1; PaLM, arXiv 2204.02311, appendix B) and the vocabulary head; embedding lookups are free.
 */
export function trainingFlopsPerToken(
  shape: ModelShape,
  sequence: number = shape.sequence,
  convention: FlopsConvention = 'full',
): number {
  return 3 * forwardFlopsPerToken(shape, sequence, convention)
}

/** Floating-point operations of the forward pass for one token among `sequence`; twice the multiply-adds. */
export function forwardFlopsPerToken(
  shape: ModelShape,
  sequence: number = shape.sequence,
  convention: FlopsConvention = 'full',
): number {
  const count = countParameters(shape)
  const { blocks } = shape
  const windowed = shape.window?.blocks ?? 0
  const matrices =
    blocks.attention * count.attentionBlock +
    blocks.mlp * count.mlpBlock +
    blocks.moe * count.activeMoeBlock +
    blocks.mamba * count.mambaBlock
  const layersWithPrediction = 1 + shape.predictionLayers / shape.layers
  const heads = (1 + shape.predictionLayers) * shape.vocabulary * shape.hidden
  const width = coreWidth(shape)
  const seen = (tokens: number) => (convention === 'causal' ? tokens / 2 : tokens)
  const core =
    2 * width * ((blocks.attention - windowed) * seen(sequence)) +
    2 * width * windowed * Math.min(seen(sequence), shape.window?.tokens ?? 0)
  const scan = blocks.mamba * mambaScanFlops(shape)
  return layersWithPrediction * (2 * matrices + core + scan) + 2 * heads
}

/** Query-key width plus value width over all heads: 2 h where heads divide the hidden width. */
export function coreWidth(shape: ModelShape): number {
  const latent = shape.latentAttention
  return latent
    ? shape.heads * (latent.nopeDim + latent.ropeDim + latent.valueDim)
    : 2 * shape.heads * shape.headDim
}

/** Chunked scan of Mamba-2 for one token: state update and read, and the block-diagonal part of chunks of 128 (arXiv 2405.21060, section 6). */
export function mambaScanFlops(shape: ModelShape): number {
  const space = shape.stateSpace
  if (!space) return 0
  const chunk = 128
  const inner = space.heads * space.headDim
  return 6 * inner * space.state + 2 * chunk * (inner + space.groups * space.state)
}
