import { type Result, refuse } from '../base/index.ts'
import { type ModelShape, modelShape } from './model-shape.ts'

type Config = Readonly<Record<string, unknown>>

/**
 * The shape that a Hugging Face `config.json` describes, or what it lacks.
 * Reads the names used by Llama, Mistral, Qwen, Mixtral, DeepSeek, GPT-OSS, Falcon and GPT-2 style configurations.
 */
export function shapeFromHuggingFace(config: Config, name?: string): Result<ModelShape, string> {
  const number = (...keys: string[]): number | undefined => {
    for (const key of keys) if (typeof config[key] === 'number') return config[key]
    return undefined
  }
  const type = typeof config.model_type === 'string' ? config.model_type : 'model'
  const label = name ?? (typeof config._name_or_path === 'string' ? config._name_or_path : type)
  const hidden = number('hidden_size', 'n_embd', 'd_model')
  const layers = number('num_hidden_layers', 'n_layer', 'n_layers', 'num_layers')
  const heads = number('num_attention_heads', 'n_head', 'n_heads')
  const vocabulary = number('vocab_size')
  if (!hidden || !layers || !heads || !vocabulary) {
    return refuse(
      `${label}: config.json must have hidden_size, num_hidden_layers, num_attention_heads and vocab_size (or the GPT-2 names of them)`,
    )
  }
  const named = config.hidden_act ?? config.activation_function
  const activation = typeof named === 'string' ? named : 'silu'
  const gated = config.gated !== false && /silu|swish|swiglu|geglu/.test(activation) && type !== 'gpt2'
  const expertCount = number('n_routed_experts', 'num_local_experts', 'num_experts')
  const ffn = number('intermediate_size', 'n_inner', 'ffn_hidden_size') ?? 4 * hidden
  const moeFfn = number('moe_intermediate_size', 'expert_intermediate_size') ?? ffn
  const kvRank = number('kv_lora_rank')
  const window = config.use_sliding_window === false ? undefined : number('sliding_window')
  const layerTypes = Array.isArray(config.layer_types) ? config.layer_types : undefined
  const windowBlocks = layerTypes
    ? layerTypes.filter((kind) => kind === 'sliding_attention').length
    : window && type === 'mistral'
      ? layers
      : 0
  const headDim = number('head_dim')
  return modelShape({
    name: label,
    hidden,
    layers,
    heads,
    kvHeads: number('num_key_value_heads', 'num_kv_heads') ?? (config.multi_query === true ? 1 : heads),
    ...(headDim && !kvRank && { headDim }),
    ffn,
    gated,
    ...(kvRank && {
      headDim: (number('qk_nope_head_dim') ?? 128) + (number('qk_rope_head_dim') ?? 64),
      latentAttention: {
        queryRank: number('q_lora_rank') ?? 0,
        keyValueRank: kvRank,
        ropeDim: number('qk_rope_head_dim') ?? 64,
        nopeDim: number('qk_nope_head_dim') ?? 128,
        valueDim: number('v_head_dim') ?? 128,
      },
    }),
    ...(expertCount &&
      expertCount > 1 && {
        experts: {
          count: expertCount,
          topK: number('num_experts_per_tok', 'experts_per_token', 'moe_top_k') ?? 2,
          ffn: moeFfn,
          sharedFfn: number('shared_expert_intermediate_size') ?? (number('n_shared_experts') ?? 0) * moeFfn,
          denseLayers: number('first_k_dense_replace') ?? 0,
          every: number('decoder_sparse_step', 'interleave_moe_layer_step', 'moe_layer_freq') ?? 1,
        },
      }),
    ...(window && windowBlocks > 0 && { window: { tokens: window, blocks: windowBlocks } }),
    predictionLayers: number('num_nextn_predict_layers') ?? 0,
    vocabulary,
    sequence: Math.min(number('max_position_embeddings', 'n_positions', 'n_ctx') ?? 4096, 8192),
    tiedEmbeddings: config.tie_word_embeddings === true || type === 'gpt2',
    learnedPositions: type === 'gpt2' ? (number('n_positions', 'n_ctx') ?? 0) : 0,
    biases:
      type === 'gpt2'
        ? 'all'
        : type === 'qwen2'
          ? 'qkv'
          : config.attention_bias === true
            ? 'attention'
            : 'none',
    norm: type === 'gpt2' || type === 'falcon' ? 'layer' : 'rms',
    queryKeyNorm: type.startsWith('qwen3'),
  })
}
