// A Llama of a few hundred weights, as files: for tests.

export const config = {
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 11,
  max_position_embeddings: 24,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  bos_token_id: 0,
  eos_token_id: 10,
};

const shapes: Record<string, number[]> = {
  'model.embed_tokens.weight': [11, 16],
  ...Object.assign(
    {},
    ...[0, 1].map((layer) => ({
      [`model.layers.${layer}.input_layernorm.weight`]: [16],
      [`model.layers.${layer}.self_attn.q_proj.weight`]: [16, 16],
      [`model.layers.${layer}.self_attn.k_proj.weight`]: [8, 16],
      [`model.layers.${layer}.self_attn.v_proj.weight`]: [8, 16],
      [`model.layers.${layer}.self_attn.o_proj.weight`]: [16, 16],
      [`model.layers.${layer}.post_attention_layernorm.weight`]: [16],
      [`model.layers.${layer}.mlp.gate_proj.weight`]: [24, 16],
      [`model.layers.${layer}.mlp.up_proj.weight`]: [24, 16],
      [`model.layers.${layer}.mlp.down_proj.weight`]: [16, 24],
    })),
  ),
  'model.norm.weight': [16],
  'lm_head.weight': [11, 16],
};

/** The bytes of a .safetensors file; of tensors that are not to be in it, without those. */
export function weightsFile(without: readonly string[] = []): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  const values: number[] = [];
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const isNorm = shape.length === 1;
    const numbers = Array.from({ length: count }, () => (isNorm ? 1 + random() / 2 : random()));
    if (without.includes(name)) continue;
    header[name] = { dtype: 'F32', shape, data_offsets: [values.length * 4, (values.length + count) * 4] };
    values.push(...numbers);
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + values.length * 4);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(new Uint8Array(Float32Array.from(values).buffer), 8 + text.length);
  return file;
}

/** Ten letters, and one token of two of them: "ab" is also "a" and "b". */
export const tokenizer = {
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    fuse_unk: false,
    vocab: { a: 0, b: 1, c: 2, d: 3, e: 4, f: 5, g: 6, h: 7, Ġ: 8, ab: 9, i: 10 },
    merges: ['a b'],
  },
};

const blob = (content: object) => new Blob([JSON.stringify(content)]);

export const files = () => ({
  config: blob(config),
  weights: new Blob([weightsFile()]),
  tokenizer: blob(tokenizer) as Blob | null,
  rounded: false,
});
