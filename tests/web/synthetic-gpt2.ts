import type { Gpt2Config } from './oracle/gpt2.ts';
import type { Floats } from './random.ts';
import { Maker } from './synthetic.ts';

/** A small GPT-2 with weights from a seed: sizes that no vector or tile divides, and the keys of OpenAI's own checkpoint. */
export const config: Gpt2Config & Record<string, unknown> & { model_type: string } = {
  activation_function: 'gelu_new',
  architectures: ['GPT2LMHeadModel'],
  attn_pdrop: 0.1,
  bos_token_id: 30,
  embd_pdrop: 0.1,
  eos_token_id: 30,
  initializer_range: 0.02,
  layer_norm_epsilon: 1e-5,
  model_type: 'gpt2',
  n_ctx: 23,
  n_embd: 21,
  n_head: 3,
  n_inner: null,
  n_layer: 3,
  n_positions: 23,
  resid_pdrop: 0.1,
  reorder_and_upcast_attn: false,
  scale_attn_by_inverse_layer_idx: false,
  scale_attn_weights: true,
  summary_activation: null,
  summary_first_dropout: 0.1,
  summary_proj_to_labels: true,
  summary_type: 'cls_index',
  summary_use_proj: true,
  task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
  torch_dtype: 'float32',
  transformers_version: '4.38.2',
  use_cache: true,
  vocab_size: 31,
};
export const [E, H, L, V] = [21, 3, 3, 31];

export function weights({ head = false, inner = 4 * E, seed = 20 } = {}): Record<string, Floats> {
  const make = new Maker(seed);
  make.tensor('wte.weight', [V, E]);
  make.tensor('wpe.weight', [23, E]);
  for (let layer = 0; layer < L; layer++) {
    make.norm(`h.${layer}.ln_1`, E);
    make.conv1d(`h.${layer}.attn.c_attn`, E, 3 * E);
    make.conv1d(`h.${layer}.attn.c_proj`, E, E);
    make.norm(`h.${layer}.ln_2`, E);
    make.conv1d(`h.${layer}.mlp.c_fc`, E, inner);
    make.conv1d(`h.${layer}.mlp.c_proj`, inner, E);
  }
  make.mixing('ln_f', E);
  if (head) make.dense('lm_head', V, E, { bias: false });
  return make.tensors;
}
