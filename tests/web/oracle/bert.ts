import { add, embedding, gelu, layerNorm, linear, map } from './layers.ts';
import { attend, type Hooks, reader, type Trace } from './model.ts';
import type { Exact, Numbers } from './values.ts';

/**
 * A BERT encoder (Devlin et al. 2018) in double, for one sequence without padding:
 *   h = LN(word[id] + position[s] + type[t]), without types where the checkpoint has none
 *   per layer: a = LN(h + O·attention(Q·h, K·h, V·h)),  h = LN(a + down·GELU(up·a))
 *   pooled = tanh(pooler · h[0])
 */
export interface BertConfig {
  num_hidden_layers: number;
  num_attention_heads: number;
  layer_norm_eps: number;
}

export interface BertResult extends Trace {
  pooled?: Exact;
}

interface BertInput extends Hooks {
  types?: readonly number[];
  positions?: readonly number[];
}

export function bert(
  config: BertConfig,
  tensors: Readonly<Record<string, Numbers>>,
  ids: readonly number[],
  { types = ids.map(() => 0), positions = ids.map((_, s) => s), ...hooks }: BertInput = {},
): BertResult {
  const weight = reader(tensors);
  const dense = (name: string, x: Numbers) => linear(x, weight(`${name}.weight`), weight(`${name}.bias`));
  const norm = (name: string, x: Numbers) =>
    layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), { epsilon: config.layer_norm_eps });
  const rows = (table: string, which: readonly number[]) =>
    embedding({ data: which, shape: [which.length] }, weight(`embeddings.${table}.weight`));

  const placed = add(rows('word_embeddings', ids), rows('position_embeddings', positions));
  const typed = tensors['embeddings.token_type_embeddings.weight']
    ? add(placed, rows('token_type_embeddings', types))
    : placed;
  let h = norm('embeddings.LayerNorm', typed);
  const hiddenStates = [h];
  const [attentions, projections]: [Exact[], Trace['projections']] = [[], []];
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = (name: string) => `encoder.layer.${layer}.${name}`;
    const [q, k, v] = ['query', 'key', 'value'].map((name) => dense(at(`attention.self.${name}`), h)) as [
      Exact,
      Exact,
      Exact,
    ];
    const result = attend(layer, [q, k, v], { numHeads: config.num_attention_heads }, hooks);
    attentions.push(result.probabilities);
    projections.push(result.projections);
    const a = norm(at('attention.output.LayerNorm'), add(h, dense(at('attention.output.dense'), result.output)));
    const up = map(dense(at('intermediate.dense'), a), gelu);
    h = norm(at('output.LayerNorm'), add(a, dense(at('output.dense'), up)));
    hiddenStates.push(h);
  }
  const trace = { hiddenStates, attentions, projections, lastHiddenState: h };
  if (!tensors['pooler.dense.weight']) return trace;
  const first = { data: h.data.subarray(0, h.shape[1]), shape: [1, h.shape[1] as number] };
  return { ...trace, pooled: map(dense('pooler.dense', first), Math.tanh) };
}

/** Mean over the attended tokens, divided by its length. */
export function embed(last: Exact, attends: readonly number[], normalize = true): number[] {
  const E = last.shape[1] as number;
  const count = attends.reduce((sum, a) => sum + a, 0);
  const mean = Array.from(
    { length: E },
    (_, e) => attends.reduce((sum, a, s) => sum + a * (last.data[s * E + e] as number), 0) / count,
  );
  const norm = normalize ? Math.hypot(...mean) : 1;
  return mean.map((x) => x / norm);
}
