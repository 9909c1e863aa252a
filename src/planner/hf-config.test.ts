import { describe, expect, it } from 'vitest'
import { modelByName } from './catalogue.ts'
import { shapeFromHuggingFace } from './hf-config.ts'
import { modelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'

describe('shapeFromHuggingFace', () => {
  it.each([
    [
      'llama3-8b',
      {
        model_type: 'llama',
        hidden_act: 'silu',
        hidden_size: 4096,
        intermediate_size: 14336,
        num_attention_heads: 32,
        num_hidden_layers: 32,
        num_key_value_heads: 8,
        vocab_size: 128256,
        max_position_embeddings: 8192,
      },
    ],
    [
      'qwen3-30b-a3b',
      {
        model_type: 'qwen3_moe',
        hidden_act: 'silu',
        hidden_size: 2048,
        head_dim: 128,
        intermediate_size: 6144,
        moe_intermediate_size: 768,
        num_attention_heads: 32,
        num_experts: 128,
        num_experts_per_tok: 8,
        decoder_sparse_step: 1,
        num_hidden_layers: 48,
        num_key_value_heads: 4,
        vocab_size: 151936,
      },
    ],
    [
      'deepseek-v3',
      {
        model_type: 'deepseek_v3',
        hidden_act: 'silu',
        first_k_dense_replace: 3,
        hidden_size: 7168,
        intermediate_size: 18432,
        kv_lora_rank: 512,
        moe_intermediate_size: 2048,
        n_routed_experts: 256,
        n_shared_experts: 1,
        num_attention_heads: 128,
        num_experts_per_tok: 8,
        num_hidden_layers: 61,
        num_key_value_heads: 128,
        num_nextn_predict_layers: 1,
        q_lora_rank: 1536,
        qk_nope_head_dim: 128,
        qk_rope_head_dim: 64,
        v_head_dim: 128,
        vocab_size: 129280,
        moe_layer_freq: 1,
      },
    ],
    [
      'gpt2',
      {
        model_type: 'gpt2',
        activation_function: 'gelu_new',
        n_embd: 768,
        n_layer: 12,
        n_head: 12,
        n_positions: 1024,
        vocab_size: 50257,
      },
    ],
  ])('reads %s as the catalogue has it', (name, config) => {
    const read = shapeFromHuggingFace(config, name)
    const known = modelByName(name)
    if (!read.ok || !known.ok) throw new Error('not read')
    expect(countParameters(read.value)).toEqual(countParameters(known.value))
  })

  it('names what a file lacks', () => {
    expect(shapeFromHuggingFace({ model_type: 'llama' })).toMatchObject({
      ok: false,
      error: expect.stringContaining('hidden_size'),
    })
  })
})

describe('modelShape', () => {
  const dense = { layers: 4, hidden: 1024, heads: 16, ffn: 4096, vocabulary: 32000, sequence: 2048 }
  it.each([
    [{ ...dense, kvHeads: 5 }, '16 heads cannot share 5 KV heads'],
    [{ ...dense, heads: 15 }, 'not divisible by 15 heads'],
    [{ ...dense, layers: 0 }, 'layers is 0'],
    [{ ...dense, experts: { count: 4, topK: 8, ffn: 512 } }, 'top-k 8'],
  ])('refuses %j', (input, reason) => {
    expect(modelShape(input)).toMatchObject({ ok: false, error: expect.stringContaining(reason) })
  })

  it('suggests names that come near', () => {
    expect(modelByName('llama3-9b')).toMatchObject({ ok: false, error: expect.stringContaining('llama3-8b') })
  })
})
