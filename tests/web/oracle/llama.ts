import type { RopeScaling } from 'attention-wasm';
import { add, embedding, feedForward, linear, rmsNorm } from './layers.ts';
import {
  activation,
  attend,
  below,
  type DecoderTrace,
  fail,
  type Hooks,
  lengthOf,
  type Past,
  positionsOf,
  reader,
  type Trace,
} from './model.ts';
import { rotaryEmbedding } from './rotary.ts';
import type { Exact, Numbers } from './values.ts';

/**
 * A Llama decoder (Touvron et al. 2023; Grattafiori et al. 2024) in double, for one sequence, which may continue a past:
 *   h = token[id]
 *   per layer: h += O·attention(rot(Q·n), rot(K·n), V·n) with n = RMS(h), each query seeing the keys up to its own;
 *              h += down·(act(gate·n) ⊙ up·n) with n = RMS(h)
 *   logits = head · RMS_f(h), the head being the token table where the checkpoint has none
 */
export interface LlamaConfig {
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads?: number;
  head_dim?: number;
  rms_norm_eps: number;
  hidden_act: string;
  max_position_embeddings: number;
  rope_theta?: number;
  rope_scaling?: Readonly<Record<string, unknown>> | null;
}

export function llama(
  config: LlamaConfig,
  tensors: Readonly<Record<string, Numbers>>,
  ids: readonly number[],
  hooks: Hooks = {},
  past?: Past,
): DecoderTrace {
  const weight = reader(tensors);
  const dense = (name: string, x: Numbers) => linear(x, weight(`${name}.weight`), tensors[`${name}.bias`]);
  const norm = (name: string, x: Numbers) => rmsNorm(x, weight(`${name}.weight`), { epsilon: config.rms_norm_eps });
  const H = config.num_attention_heads;
  const Hkv = config.num_key_value_heads ?? H;
  const seen = lengthOf(past);
  const attends = hooks.attends ?? Array<number>(seen + ids.length).fill(1);
  const positions = positionsOf(attends).slice(seen);
  const turn = (x: Exact, numHeads: number) => {
    const { data, shape } = rotaryEmbedding(x, { numHeads, positions, ...ropeOf(config) });
    return { data, shape };
  };

  const trace = { hiddenStates: [] as Exact[], attentions: [] as Exact[], projections: [] as Trace['projections'] };
  const [keys, values]: [Exact[], Exact[]] = [[], []];
  let h = embedding({ data: ids, shape: [ids.length] }, weight('embed_tokens.weight'));
  trace.hiddenStates.push(h);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = (name: string) => `layers.${layer}.${name}`;
    const n = norm(at('input_layernorm'), h);
    keys.push(below(past?.keys[layer], turn(dense(at('self_attn.k_proj'), n), Hkv)));
    values.push(below(past?.values[layer], dense(at('self_attn.v_proj'), n)));
    const q = turn(dense(at('self_attn.q_proj'), n), H);
    const own = { numHeads: H, numKvHeads: Hkv, causal: true, queryOffset: seen };
    const done = attend(layer, [q, keys[layer] as Exact, values[layer] as Exact], own, { ...hooks, attends });
    trace.attentions.push(done.probabilities);
    trace.projections.push(done.projections);
    h = add(h, dense(at('self_attn.o_proj'), done.output));
    h = add(h, gated(at('mlp'), norm(at('post_attention_layernorm'), h)));
    trace.hiddenStates.push(h);
  }
  const lastHiddenState = norm('norm', h);
  const logits = linear(lastHiddenState, tensors['lm_head.weight'] ?? weight('embed_tokens.weight'));
  return { ...trace, lastHiddenState, logits, past: { keys, values } };

  function gated(name: string, x: Numbers): Exact {
    const [gate, up, down] = ['gate', 'up', 'down'].map((part) => weight(`${name}.${part}_proj.weight`));
    const [gateBias, upBias, downBias] = ['gate', 'up', 'down'].map((part) => tensors[`${name}.${part}_proj.bias`]);
    const matrices = { gate, up, down, gateBias, upBias, downBias } as Parameters<typeof feedForward>[1];
    return feedForward(x, matrices, activation(config.hidden_act));
  }
}

/** Hugging Face's keys: `rope_type`, once called `type`; the base beside them or among them. */
export function ropeOf(config: LlamaConfig): { base: number; scaling?: RopeScaling } {
  const given = config.rope_scaling ?? {};
  const base = config.rope_theta ?? 10000;
  const factor = given.factor as number;
  const originalContext = (given.original_max_position_embeddings ?? config.max_position_embeddings) as number;
  const number = (key: string) => given[key] as number | undefined;
  switch (given.rope_type ?? given.type ?? 'default') {
    case 'default':
      return { base };
    case 'linear':
      return { base, scaling: { type: 'linear', factor } };
    case 'llama3': {
      const [lowFreqFactor, highFreqFactor] = [number('low_freq_factor'), number('high_freq_factor')] as [
        number,
        number,
      ];
      return { base, scaling: { type: 'llama3', factor, lowFreqFactor, highFreqFactor, originalContext } };
    }
    case 'yarn': {
      const [betaFast, betaSlow] = [number('beta_fast') ?? 32, number('beta_slow') ?? 1];
      const attentionFactor = number('attention_factor') ?? 0.1 * Math.log(factor) + 1;
      return { base, scaling: { type: 'yarn', factor, originalContext, betaFast, betaSlow, attentionFactor } };
    }
    default:
      return fail(`the oracle has no rope ${given.rope_type ?? given.type}`);
  }
}
