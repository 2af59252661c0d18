import type { MarianConfig } from './oracle/marian.ts';
import type { Floats } from './random.ts';
import { Maker } from './synthetic.ts';

/** A small Marian with weights from a seed: sizes that no vector or tile divides, and the keys of Helsinki-NLP's checkpoints. */
export const config = {
  activation_dropout: 0,
  activation_function: 'swish',
  add_bias_logits: false,
  add_final_layer_norm: false,
  architectures: ['MarianMTModel'],
  attention_dropout: 0,
  bad_words_ids: [[28]],
  bos_token_id: 0,
  classif_dropout: 0,
  classifier_dropout: 0,
  d_model: 22,
  decoder_attention_heads: 2,
  decoder_ffn_dim: 37,
  decoder_layerdrop: 0,
  decoder_layers: 3,
  decoder_start_token_id: 28,
  decoder_vocab_size: 29,
  dropout: 0.1,
  encoder_attention_heads: 2,
  encoder_ffn_dim: 41,
  encoder_layerdrop: 0,
  encoder_layers: 2,
  eos_token_id: 0,
  forced_eos_token_id: 0,
  gradient_checkpointing: false,
  id2label: { 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' },
  init_std: 0.02,
  is_encoder_decoder: true,
  label2id: { LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 },
  max_length: 27,
  max_position_embeddings: 27,
  model_type: 'marian',
  normalize_before: false,
  normalize_embedding: false,
  num_beams: 4,
  num_hidden_layers: 2,
  pad_token_id: 28,
  scale_embedding: true,
  share_encoder_decoder_embeddings: true,
  static_position_embeddings: true,
  torch_dtype: 'float32',
  transformers_version: '4.22.0.dev0',
  use_cache: true,
  vocab_size: 29,
} satisfies MarianConfig & Record<string, unknown>;
export const [start, end] = [config.decoder_start_token_id, config.eos_token_id];

/** Of the config's sizes, but for the size of embeddings where it is given. */
export function weights({ size: E = 22, seed = 16 } = {}): Record<string, Floats> {
  const make = new Maker(seed);
  const little = { gain: 0.3 }; // else norms after each sum leave nothing of the token itself, and every next one is the same
  const attention = (at: string) => {
    for (const name of ['q_proj', 'k_proj', 'v_proj']) make.dense(`${at}.${name}`, E, E);
    make.dense(`${at}.out_proj`, E, E, little);
  };
  const ends = (at: string, inner: number) => {
    make.dense(`${at}.fc1`, inner, E);
    make.dense(`${at}.fc2`, E, inner, little);
    make.norm(`${at}.final_layer_norm`, E);
  };
  make.tensor('shared.weight', [29, E], 2 * E ** -0.5); // they are multiplied by √E
  for (let layer = 0; layer < config.encoder_layers; layer++) {
    const at = `encoder.layers.${layer}`;
    attention(`${at}.self_attn`);
    make.norm(`${at}.self_attn_layer_norm`, E);
    ends(at, config.encoder_ffn_dim);
  }
  for (let layer = 0; layer < config.decoder_layers; layer++) {
    const at = `decoder.layers.${layer}`;
    attention(`${at}.self_attn`);
    make.norm(`${at}.self_attn_layer_norm`, E);
    attention(`${at}.encoder_attn`);
    make.norm(`${at}.encoder_attn_layer_norm`, E);
    ends(at, config.decoder_ffn_dim);
  }
  make.mixing(`decoder.layers.${config.decoder_layers - 1}.final_layer_norm`, E);
  make.tensor('final_logits_bias', [1, 29], 0.3);
  return make.tensors;
}
