// A Llama of made-up weights as a file in memory, and what it takes to load it; in Node.js and in pages.
import { createAttention } from '../dist/index.js';
import { createModel, readSafetensors } from '../dist/models.js';

/** Sizes of published checkpoints. */
export const checkpoints = {
  /** SmolLM2 360M. */
  '362 M parameters': { vocabulary: 49_152, size: 960, heads: 15, kvHeads: 5, hidden: 2560, layers: 32 },
  /** The table of words of Llama 3.2 1B, over one layer: one tensor of 263 million values. */
  'a table of 263 M values': { vocabulary: 128_256, size: 2048, heads: 32, kvHeads: 8, hidden: 2048, layers: 1 },
  small: { vocabulary: 8192, size: 256, heads: 4, kvHeads: 2, hidden: 1024, layers: 4 },
};

/** A number around 0.01 in each type. */
const values = {
  F32: { array: Float32Array, value: 0.01 },
  F16: { array: Uint16Array, value: 0x211f },
  BF16: { array: Uint16Array, value: 0x3c24 },
};
export const dtypes = Object.keys(values);

/** ms of reading the file and of making the model of it, in a new engine. */
export async function loadCheckpoint(name, dtype) {
  const { config, bytes, parameters } = checkpoint(checkpoints[name], dtype);
  const engine = await createAttention();
  const start = performance.now();
  const tensors = readSafetensors(bytes);
  const model = createModel(engine, { config, tensors });
  const ms = performance.now() - start;
  const { logits } = await model.forward([1, 2, 3]);
  if (!logits.data.every(Number.isFinite)) throw new Error(`${name} in ${dtype} gives logits that are no numbers`);
  engine.dispose();
  return { parameters, ms };
}

function checkpoint(sizes, dtype) {
  const { array, value } = values[dtype];
  const shapes = Object.entries(shapesOf(sizes));
  const header = {};
  let [end, parameters] = [0, 0];
  for (const [name, shape] of shapes) {
    const count = shape.reduce((product, n) => product * n);
    header[name] = { dtype, shape, data_offsets: [end, end + count * array.BYTES_PER_ELEMENT] };
    end += count * array.BYTES_PER_ELEMENT;
    parameters += count;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8, 8 + length).set(text, 8);
  new array(bytes.buffer, 8 + length).fill(value);
  return { config: configOf(sizes), bytes, parameters };
}

function shapesOf({ vocabulary, size, heads, kvHeads, hidden, layers }) {
  const width = (size / heads) * kvHeads;
  const shapes = { 'model.embed_tokens.weight': [vocabulary, size], 'model.norm.weight': [size] };
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    const own = {
      input_layernorm: [size],
      'self_attn.q_proj': [size, size],
      'self_attn.k_proj': [width, size],
      'self_attn.v_proj': [width, size],
      'self_attn.o_proj': [size, size],
      post_attention_layernorm: [size],
      'mlp.gate_proj': [hidden, size],
      'mlp.up_proj': [hidden, size],
      'mlp.down_proj': [size, hidden],
    };
    for (const [name, shape] of Object.entries(own)) shapes[`${at}.${name}.weight`] = shape;
  }
  return shapes;
}

function configOf({ vocabulary, size, heads, kvHeads, hidden, layers }) {
  return {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: size,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    tie_word_embeddings: true,
  };
}
