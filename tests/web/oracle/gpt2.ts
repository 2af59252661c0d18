import { add, embedding, layerNorm, linear, map } from './layers.ts';
import {
  activation,
  attend,
  below,
  type DecoderTrace,
  type Hooks,
  lengthOf,
  type Past,
  positionsOf,
  reader,
  rowsOf,
  type Trace,
  transposed,
} from './model.ts';
import type { Exact, Numbers } from './values.ts';

/**
 * A GPT-2 decoder (Radford et al. 2019) in double, for one sequence, which may continue a past:
 *   h = token[id] + position[s]
 *   per layer: h += O·attention(Q·LN(h), K·LN(h), V·LN(h)), each query seeing the keys up to its own;  h += down·act(up·LN(h))
 *   logits = head · LN_f(h), the head being the token table where the checkpoint has none
 * Its matrices multiply from the right, [in,out], and one of them makes queries, keys and values side by side.
 */
export interface Gpt2Config {
  n_layer: number;
  n_head: number;
  layer_norm_epsilon: number;
  activation_function: string;
  /** false: scores are not divided by √D. */
  scale_attn_weights?: boolean;
  /** Scores are divided by the layer's number too, counted from 1. */
  scale_attn_by_inverse_layer_idx?: boolean;
}

export function gpt2(
  config: Gpt2Config,
  tensors: Readonly<Record<string, Numbers>>,
  ids: readonly number[],
  hooks: Hooks = {},
  past?: Past,
): DecoderTrace {
  const weight = reader(tensors);
  const conv1d = (name: string, x: Numbers) => linear(x, transposed(weight(`${name}.weight`)), weight(`${name}.bias`));
  const norm = (name: string, x: Numbers) =>
    layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), { epsilon: config.layer_norm_epsilon });
  const rows = (table: string, which: readonly number[]) =>
    embedding({ data: which, shape: [which.length] }, weight(`${table}.weight`));

  const seen = lengthOf(past);
  const attends = hooks.attends ?? Array<number>(seen + ids.length).fill(1);
  const trace = { hiddenStates: [] as Exact[], attentions: [] as Exact[], projections: [] as Trace['projections'] };
  const [keys, values]: [Exact[], Exact[]] = [[], []];
  let h = add(rows('wte', ids), rows('wpe', positionsOf(attends).slice(seen)));
  trace.hiddenStates.push(h);
  for (let layer = 0; layer < config.n_layer; layer++) {
    const at = (name: string) => `h.${layer}.${name}`;
    const [q, k, v] = thirds(conv1d(at('attn.c_attn'), norm(at('ln_1'), h)));
    keys.push(below(past?.keys[layer], k));
    values.push(below(past?.values[layer], v));
    const own = { numHeads: config.n_head, causal: true, queryOffset: seen, scale: scaleOf(config, layer, q) };
    const done = attend(layer, [q, keys[layer] as Exact, values[layer] as Exact], own, { ...hooks, attends });
    trace.attentions.push(done.probabilities);
    trace.projections.push(done.projections);
    h = add(h, conv1d(at('attn.c_proj'), done.output));
    const up = map(conv1d(at('mlp.c_fc'), norm(at('ln_2'), h)), activation(config.activation_function));
    h = add(h, conv1d(at('mlp.c_proj'), up));
    trace.hiddenStates.push(h);
  }
  const lastHiddenState = norm('ln_f', h);
  const logits = linear(lastHiddenState, tensors['lm_head.weight'] ?? weight('wte.weight'));
  return { ...trace, lastHiddenState, logits, past: { keys, values } };
}

function scaleOf(config: Gpt2Config, layer: number, q: Exact): number {
  const D = (q.shape[1] as number) / config.n_head;
  const scale = config.scale_attn_weights === false ? 1 : 1 / Math.sqrt(D);
  return config.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
}

/** [S,3E] → three of [S,E]. */
function thirds(x: Exact): [Exact, Exact, Exact] {
  const turned = transposed(x);
  const E = (x.shape[1] as number) / 3;
  const part = (n: number) => transposed(rowsOf(turned, n * E, (n + 1) * E));
  return [part(0), part(1), part(2)];
}
