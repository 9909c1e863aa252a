import { ok, type Result, refuse } from '../base/index.ts'

/** Low-rank attention of DeepSeek-V2 (arXiv 2405.04434, section 2.1): what is cached is `keyValueRank + ropeDim` wide. */
export interface LatentAttention {
  /** 0 where queries are projected directly. */
  readonly queryRank: number
  readonly keyValueRank: number
  readonly ropeDim: number
  readonly nopeDim: number
  readonly valueDim: number
}

export interface Experts {
  readonly count: number
  readonly topK: number
  /** Inner width of one routed expert. */
  readonly ffn: number
  /** Inner width of what every token passes beside its routed experts; 0 where there is none. */
  readonly sharedFfn: number
  /** Width that tokens are projected to before routing (LatentMoE); the hidden width where absent. */
  readonly latent?: number
}

/** State-space blocks of Mamba-2 (arXiv 2405.21060). */
export interface StateSpace {
  readonly heads: number
  readonly headDim: number
  readonly state: number
  readonly groups: number
}

/** How many blocks of each kind a model stacks. A transformer layer is one attention block and one `mlp` or `moe` block. */
export interface Blocks {
  readonly attention: number
  readonly mlp: number
  readonly moe: number
  readonly mamba: number
}

/** What the planner must know of a model: enough for its parameters, FLOPs, memory and time to follow. */
export interface ModelShape {
  readonly name: string
  readonly hidden: number
  /** Pipeline stages are cut between layers; in a hybrid each block is a layer of its own. */
  readonly layers: number
  readonly blocks: Blocks
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly latentAttention?: LatentAttention
  /** `blocks` attention blocks see only the last `tokens` tokens. */
  readonly window?: { readonly tokens: number; readonly blocks: number }
  readonly ffn: number
  /** SwiGLU and its kin have three matrices where others have two. */
  readonly gated: boolean
  readonly experts?: Experts
  readonly stateSpace?: StateSpace
  /** Extra layers that predict further tokens, each with its own pass through the vocabulary head (DeepSeek-V3, section 2.2). */
  readonly predictionLayers: number
  readonly vocabulary: number
  readonly sequence: number
  readonly tiedEmbeddings: boolean
  readonly learnedPositions: number
  readonly biases: 'none' | 'qkv' | 'attention' | 'all'
  readonly norm: 'rms' | 'layer'
  readonly queryKeyNorm: boolean
}

/** Anything from which a shape follows: the rest is filled in by the field's usual choices. */
export interface ShapeInput {
  readonly name?: string
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads?: number
  readonly headDim?: number
  readonly latentAttention?: LatentAttention
  readonly window?: { readonly tokens: number; readonly blocks: number }
  /** Four times `hidden` where absent (arXiv 1706.03762, section 3.3). */
  readonly ffn?: number
  readonly gated?: boolean
  readonly experts?: Omit<Experts, 'sharedFfn'> & {
    readonly sharedFfn?: number
    readonly denseLayers?: number
    readonly every?: number
  }
  readonly blocks?: Blocks
  readonly stateSpace?: StateSpace
  readonly predictionLayers?: number
  readonly vocabulary: number
  readonly sequence: number
  readonly tiedEmbeddings?: boolean
  readonly learnedPositions?: number
  readonly biases?: ModelShape['biases']
  readonly norm?: ModelShape['norm']
  readonly queryKeyNorm?: boolean
}

/** The whole shape, or the sentence that says which number cannot be. */
export function modelShape(input: ShapeInput): Result<ModelShape, string> {
  const name = input.name ?? `${input.layers}-layer model`
  for (const field of ['hidden', 'layers', 'heads', 'vocabulary', 'sequence'] as const) {
    if (!(Number.isInteger(input[field]) && input[field] > 0)) {
      return refuse(`${name}: ${field} is ${input[field]}; it must be a whole number above 0`)
    }
  }
  const ffn = input.ffn ?? 4 * input.hidden
  if (!(ffn >= 0)) return refuse(`${name}: ffn is ${input.ffn}; give the inner width of the MLP`)
  const kvHeads = input.kvHeads ?? input.heads
  if (input.heads % kvHeads !== 0) {
    return refuse(`${name}: ${input.heads} heads cannot share ${kvHeads} KV heads evenly`)
  }
  const headDim = input.headDim ?? input.hidden / input.heads
  if (!Number.isInteger(headDim)) {
    return refuse(`${name}: hidden ${input.hidden} is not divisible by ${input.heads} heads; give headDim`)
  }
  const experts = input.experts
  if (experts && !(experts.topK >= 1 && experts.topK <= experts.count)) {
    return refuse(`${name}: top-k ${experts.topK} must lie between 1 and the ${experts.count} experts`)
  }
  const moe = experts ? Math.floor((input.layers - (experts.denseLayers ?? 0)) / (experts.every ?? 1)) : 0
  return ok({
    name,
    hidden: input.hidden,
    layers: input.layers,
    blocks: input.blocks ?? { attention: input.layers, mlp: input.layers - moe, moe, mamba: 0 },
    heads: input.heads,
    kvHeads,
    headDim,
    ...(input.latentAttention && { latentAttention: input.latentAttention }),
    ...(input.window && { window: input.window }),
    ffn,
    gated: input.gated ?? true,
    ...(experts && {
      experts: {
        count: experts.count,
        topK: experts.topK,
        ffn: experts.ffn,
        sharedFfn: experts.sharedFfn ?? 0,
        ...(experts.latent && { latent: experts.latent }),
      },
    }),
    ...(input.stateSpace && { stateSpace: input.stateSpace }),
    predictionLayers: input.predictionLayers ?? 0,
    vocabulary: input.vocabulary,
    sequence: input.sequence,
    tiedEmbeddings: input.tiedEmbeddings ?? false,
    learnedPositions: input.learnedPositions ?? 0,
    biases: input.biases ?? 'none',
    norm: input.norm ?? 'rms',
    queryKeyNorm: input.queryKeyNorm ?? false,
  })
}
