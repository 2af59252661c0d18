import type { BertConfig } from './oracle/bert.ts';
import { halves } from './oracle/values.ts';
import { type Floats, type Plain, Random } from './random.ts';
import { bytesOf, safetensors } from './safetensors-file.ts';

/** A small BERT with weights from a seed: sizes that no vector or tile divides. */
export const config: BertConfig & Record<string, unknown> & { model_type: string } = {
  model_type: 'bert',
  hidden_size: 21,
  num_attention_heads: 3,
  num_hidden_layers: 3,
  intermediate_size: 37,
  vocab_size: 29,
  max_position_embeddings: 19,
  type_vocab_size: 2,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  position_embedding_type: 'absolute',
};

export function weights({ pooler = true, seed = 1 } = {}): Record<string, Floats> {
  const random = new Random(seed);
  const [E, F] = [21, 37];
  const all: Record<string, Floats> = {};
  const dense = (name: string, out: number, from: number) => {
    all[`${name}.weight`] = random.tensor([out, from], 1.5 * from ** -0.5);
    all[`${name}.bias`] = random.tensor([out], 0.3);
  };
  const norm = (name: string) => {
    all[`${name}.weight`] = { data: random.floats(E, 0.5).map((x) => x + 1), shape: [E] };
    all[`${name}.bias`] = random.tensor([E], 0.3);
  };
  all['embeddings.word_embeddings.weight'] = random.tensor([29, E]);
  all['embeddings.position_embeddings.weight'] = random.tensor([19, E]);
  all['embeddings.token_type_embeddings.weight'] = random.tensor([2, E]);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < 3; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const name of ['query', 'key', 'value']) dense(`${at}.attention.self.${name}`, E, E);
    dense(`${at}.attention.output.dense`, E, E);
    norm(`${at}.attention.output.LayerNorm`);
    dense(`${at}.intermediate.dense`, F, E);
    dense(`${at}.output.dense`, E, F);
    norm(`${at}.output.LayerNorm`);
  }
  if (pooler) dense('pooler.dense', E, E);
  return all;
}

type Weights = Record<string, Plain>;
const mapWeights = (all: Weights, change: (tensor: Plain) => Plain): Weights =>
  Object.fromEntries(Object.entries(all).map(([name, tensor]) => [name, change(tensor)]));

export const inHalves = (all: Weights): Weights =>
  mapWeights(all, ({ data, shape }) => ({ data: halves(data as Float32Array), shape, dtype: 'float16' }));

export const prefixed = (all: Weights, prefix: string): Weights =>
  Object.fromEntries(Object.entries(all).map(([name, tensor]) => [prefix + name, tensor]));

export const inFile = (all: Weights): Uint8Array<ArrayBuffer> =>
  safetensors(
    Object.fromEntries(
      Object.entries(all).map(([name, { data, shape, dtype }]) => [
        name,
        { dtype: dtype === 'float16' ? 'F16' : 'F32', shape, bytes: bytesOf(data) },
      ]),
    ),
  );
