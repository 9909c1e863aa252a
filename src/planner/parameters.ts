import type { ModelShape } from './model-shape.ts'

/** Parameters of a model by part. Counts, not bytes; `moeBlock` has all experts, `activeMoeBlock` those one token uses. */
export interface ParameterCount {
  readonly embedding: number
  readonly head: number
  readonly attentionBlock: number
  readonly mlpBlock: number
  readonly moeBlock: number
  readonly routedExperts: number
  readonly activeMoeBlock: number
  readonly mambaBlock: number
  readonly total: number
  /** What one token passes through, embedding rows left out. */
  readonly active: number
}

/**
 * The exact number of parameters by part.
 * Attention, MLP and norm as in the models' reference code; latent attention after arXiv 2405.04434 (table 1, section 2.1),
 * Mamba-2 after arXiv 2405.21060 (projection to z, x, B, C and dt; a width-4 convolution; A, D and dt bias by head).
 */
export function countParameters(shape: ModelShape): ParameterCount {
  let count = COUNTS.get(shape)
  if (!count) {
    count = computeCount(shape)
    COUNTS.set(shape, count)
  }
  return count
}

const COUNTS = new WeakMap<ModelShape, ParameterCount>()

function computeCount(shape: ModelShape): ParameterCount {
  const { hidden, blocks } = shape
  const normWidth = shape.norm === 'layer' ? 2 : 1
  const norm = normWidth * hidden
  const allBiases = shape.biases === 'all'
  const projections = shape.gated ? 3 : 2
  const mlp = (width: number, inner: number) =>
    projections * width * inner + (allBiases ? (projections - 1) * inner + width : 0)

  const attentionBlock = attentionParameters(shape) + norm
  const mlpBlock = mlp(hidden, shape.ffn) + norm
  const experts = shape.experts
  const width = experts?.latent ?? hidden
  const oneExpert = experts ? mlp(width, experts.ffn) : 0
  const routedExperts = experts ? experts.count * oneExpert : 0
  const besideExperts = experts
    ? hidden * experts.count +
      (experts.sharedFfn > 0 ? mlp(hidden, experts.sharedFfn) : 0) +
      (experts.latent ? 2 * hidden * experts.latent : 0) +
      norm
    : 0
  const moeBlock = routedExperts + besideExperts
  const activeMoeBlock = experts ? experts.topK * oneExpert + besideExperts : 0
  const mambaBlock = mambaParameters(shape) + norm

  const embedding = (shape.vocabulary + shape.learnedPositions) * hidden
  const head = shape.tiedEmbeddings ? 0 : shape.vocabulary * hidden
  const fixed = blocks.attention * attentionBlock + blocks.mlp * mlpBlock + blocks.mamba * mambaBlock + norm
  return {
    embedding,
    head,
    attentionBlock,
    mlpBlock,
    moeBlock,
    routedExperts,
    activeMoeBlock,
    mambaBlock,
    total: embedding + head + fixed + blocks.moe * moeBlock,
    active: shape.vocabulary * hidden + fixed + blocks.moe * activeMoeBlock,
  }
}

function attentionParameters(shape: ModelShape): number {
  const { hidden, heads, kvHeads, headDim } = shape
  const latent = shape.latentAttention
  if (latent) {
    const queryWidth = heads * (latent.nopeDim + latent.ropeDim)
    const query = latent.queryRank
      ? hidden * latent.queryRank + latent.queryRank + latent.queryRank * queryWidth
      : hidden * queryWidth
    return (
      query +
      hidden * (latent.keyValueRank + latent.ropeDim) +
      latent.keyValueRank +
      latent.keyValueRank * heads * (latent.nopeDim + latent.valueDim) +
      heads * latent.valueDim * hidden
    )
  }
  const qkvWidth = (heads + 2 * kvHeads) * headDim
  return (
    hidden * qkvWidth +
    heads * headDim * hidden +
    (shape.biases === 'none' ? 0 : qkvWidth) +
    (shape.biases === 'all' || shape.biases === 'attention' ? hidden : 0) +
    (shape.queryKeyNorm ? 2 * headDim : 0)
  )
}

function mambaParameters(shape: ModelShape): number {
  const space = shape.stateSpace
  if (!space) return 0
  const inner = space.heads * space.headDim
  const mixed = inner + 2 * space.groups * space.state
  return (
    shape.hidden * (inner + mixed + space.heads) + 5 * mixed + 3 * space.heads + inner + inner * shape.hidden
  )
}
