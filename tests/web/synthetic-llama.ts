import type { LlamaConfig } from './oracle/llama.ts';
import type { Floats } from './random.ts';
import { Maker } from './synthetic.ts';

/** A small Llama with weights from a seed: sizes that no vector or tile divides, three queries a key head, and Meta's keys. */
export const config = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0,
  bos_token_id: 0,
  eos_token_id: 30,
  head_dim: 6,
  hidden_act: 'silu',
  hidden_size: 54,
  initializer_range: 0.02,
  intermediate_size: 37,
  max_position_embeddings: 29,
  mlp_bias: false,
  model_type: 'llama',
  num_attention_heads: 9,
  num_hidden_layers: 3,
  num_key_value_heads: 3,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 10000,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  transformers_version: '4.45.0',
  use_cache: true,
  vocab_size: 31,
} satisfies LlamaConfig & Record<string, unknown>;

interface Sizes {
  hidden_size?: number;
  num_attention_heads?: number;
  num_key_value_heads?: number;
  head_dim?: number;
  attention_bias?: boolean;
  mlp_bias?: boolean;
  tie_word_embeddings?: boolean;
  seed?: number;
}

/** Of the config's sizes, but for those given. */
export function weights(sizes: Sizes = {}): Record<string, Floats> {
  const { hidden_size: E, num_attention_heads: H, num_key_value_heads: Hkv, head_dim: D } = { ...config, ...sizes };
  const { attention_bias: biased, mlp_bias, tie_word_embeddings: tied, seed } = { ...config, seed: 21, ...sizes };
  const [F, V] = [config.intermediate_size, config.vocab_size];
  const make = new Maker(seed);
  make.tensor('embed_tokens.weight', [V, E]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `layers.${layer}`;
    make.norm(`${at}.input_layernorm`, E, false);
    make.dense(`${at}.self_attn.q_proj`, H * D, E, { bias: biased });
    make.dense(`${at}.self_attn.k_proj`, Hkv * D, E, { bias: biased });
    make.dense(`${at}.self_attn.v_proj`, Hkv * D, E, { bias: biased });
    make.dense(`${at}.self_attn.o_proj`, E, H * D, { bias: biased });
    make.norm(`${at}.post_attention_layernorm`, E, false);
    make.dense(`${at}.mlp.gate_proj`, F, E, { bias: mlp_bias });
    make.dense(`${at}.mlp.up_proj`, F, E, { bias: mlp_bias });
    make.dense(`${at}.mlp.down_proj`, E, F, { bias: mlp_bias });
  }
  make.norm('norm', E, false);
  if (!tied) make.dense('lm_head', V, E, { bias: false });
  return make.tensors;
}
