import { add, embedding, layerNorm, linear, map } from './layers.ts';
import { activation, attend, fail, type Hooks, reader, type Trace } from './model.ts';
import type { Exact, Numbers } from './values.ts';

/**
 * A Marian translator (Junczys-Dowmunt et al. 2018) in double: the transformer of Vaswani et al. 2017, normalised after each sum,
 * for one source and one target without padding:
 *   h = √E·token[id] + position[s], without the root where embeddings are not scaled
 *   encoder layer: h = LN(h + self(h));  h = LN(h + down·act(up·h))
 *   decoder layer: h = LN(h + causal self(h));  h = LN(h + cross(h, encoder's last));  h = LN(h + down·act(up·h))
 *   logits = token table · h + bias
 */
export interface MarianConfig {
  d_model: number;
  encoder_layers: number;
  decoder_layers: number;
  encoder_attention_heads: number;
  decoder_attention_heads: number;
  activation_function: string;
  scale_embedding: boolean;
}

export interface MarianTrace extends Trace {
  encoder: Trace;
  crossAttentions: Exact[];
  logits: Exact;
}

type Tensors = Readonly<Record<string, Numbers>>;

/** `encoderHooks` and `hooks` change the self-attentions of either side; a target sees what the source attends to. */
export function marian(
  config: MarianConfig,
  tensors: Tensors,
  source: readonly number[],
  target: readonly number[],
  hooks: Hooks = {},
  encoderHooks: Hooks = {},
): MarianTrace {
  const encoder = encode(config, tensors, source, encoderHooks);
  const { embed, block } = partsOf(config, tensors);
  const H = config.decoder_attention_heads;
  let h = embed('decoder', target);
  const trace = { hiddenStates: [h], attentions: [] as Exact[], projections: [] as Trace['projections'] };
  const crossAttentions: Exact[] = [];
  for (let layer = 0; layer < config.decoder_layers; layer++) {
    const at = block(`decoder.layers.${layer}`);
    const self = attend(layer, at.project('self_attn', h, h), { numHeads: H, causal: true }, hooks);
    trace.attentions.push(self.probabilities);
    trace.projections.push(self.projections);
    h = at.norm('self_attn_layer_norm', add(h, at.dense('self_attn.out_proj', self.output)));
    const seen = { attends: encoderHooks.attends };
    const cross = attend(layer, at.project('encoder_attn', h, encoder.lastHiddenState), { numHeads: H }, seen);
    crossAttentions.push(cross.probabilities);
    h = at.norm('encoder_attn_layer_norm', add(h, at.dense('encoder_attn.out_proj', cross.output)));
    h = at.feedForward(h);
    trace.hiddenStates.push(h);
  }
  const logits = add(linear(h, tableOf(tensors, 'decoder')), reader(tensors)('final_logits_bias'));
  return { ...trace, encoder, crossAttentions, lastHiddenState: h, logits };
}

export function encode(config: MarianConfig, tensors: Tensors, source: readonly number[], hooks: Hooks = {}): Trace {
  const { embed, block } = partsOf(config, tensors);
  let h = embed('encoder', source);
  const trace = { hiddenStates: [h], attentions: [] as Exact[], projections: [] as Trace['projections'] };
  for (let layer = 0; layer < config.encoder_layers; layer++) {
    const at = block(`encoder.layers.${layer}`);
    const own = { numHeads: config.encoder_attention_heads };
    const self = attend(layer, at.project('self_attn', h, h), own, hooks);
    trace.attentions.push(self.probabilities);
    trace.projections.push(self.projections);
    h = at.norm('self_attn_layer_norm', add(h, at.dense('self_attn.out_proj', self.output)));
    h = at.feedForward(h);
    trace.hiddenStates.push(h);
  }
  return { ...trace, lastHiddenState: h };
}

/** One table for both sides, or one for each. */
const tableOf = (tensors: Tensors, side: 'encoder' | 'decoder'): Numbers =>
  tensors['shared.weight'] ?? tensors[`${side}.embed_tokens.weight`] ?? fail(`there is no table of the ${side}`);

/** What a layer of either side is made of. */
function partsOf(config: MarianConfig, tensors: Tensors) {
  const weight = reader(tensors);
  const embed = (side: 'encoder' | 'decoder', ids: readonly number[]) => {
    const rows = embedding({ data: ids, shape: [ids.length] }, tableOf(tensors, side));
    const scale = config.scale_embedding ? Math.sqrt(config.d_model) : 1;
    return add(
      map(rows, (x) => scale * x),
      positionsOfMarian(ids.length, config.d_model),
    );
  };
  const block = (prefix: string) => {
    const named = (name: string) => weight(`${prefix}.${name}`);
    const dense = (name: string, x: Numbers) => linear(x, named(`${name}.weight`), named(`${name}.bias`));
    const norm = (name: string, x: Numbers) => layerNorm(x, named(`${name}.weight`), named(`${name}.bias`));
    const project = (name: string, from: Numbers, to: Numbers): [Exact, Exact, Exact] => [
      dense(`${name}.q_proj`, from),
      dense(`${name}.k_proj`, to),
      dense(`${name}.v_proj`, to),
    ];
    const feedForward = (x: Exact) => {
      const up = map(dense('fc1', x), activation(config.activation_function));
      return norm('final_layer_norm', add(x, dense('fc2', up)));
    };
    return { dense, norm, project, feedForward };
  };
  return { embed, block };
}

/** The sinusoids of Vaswani et al. 2017 with every sine before every cosine; of an odd size there is one sine more. */
export function positionsOfMarian(length: number, size: number): Exact {
  const data = new Float64Array(length * size);
  const sines = Math.ceil(size / 2);
  for (let p = 0; p < length; p++)
    for (let column = 0; column < size; column++) {
      const pair = column < sines ? column : column - sines;
      const angle = p / 10000 ** ((2 * pair) / size);
      data[p * size + column] = column < sines ? Math.sin(angle) : Math.cos(angle);
    }
  return { data, shape: [length, size] };
}
