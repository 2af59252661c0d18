import { oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { readBase, readScaling, type ScalingNumber, scalings } from '../rotary.js';
import type { RopeScaling } from '../types.js';
import { type Config, positive } from './config.js';
import type { Block, Checkpoint, Linear, Norm } from './parts.js';
import { feedForward, type Weights } from './weights.js';

type Given = Readonly<Record<string, unknown>>;

/** Touvron et al. 2023: RMSNorm first, rotary positions, heads that share keys, gated SiLU. */
export function llama(config: Config): (weights: Weights) => Checkpoint {
  const activation = config.activation('hidden_act', 'silu');
  if (config.flag('use_sliding_window', true)) config.only('sliding_window');
  else config.ignore('sliding_window', 'max_window_layers');
  config.only('rope_interleaved', false);
  config.ignore('is_llama_config');
  const e = config.size('hidden_size');
  const heads = config.size('num_attention_heads');
  const headDim = config.size('head_dim', e % heads === 0 ? e / heads : undefined);
  const kvHeads = config.size('num_key_value_heads', heads);
  if (heads % kvHeads !== 0) {
    throw invalid('files.config.num_key_value_heads', kvHeads, `a divisor of ${heads} heads`);
  }
  const hiddenSize = config.size('intermediate_size');
  const layers = config.size('num_hidden_layers');
  const vocabulary = config.size('vocab_size');
  const maxLength = config.size('max_position_embeddings', 2048);
  const epsilon = config.epsilon('rms_norm_eps', 1e-6);
  const attentionBias = config.flag('attention_bias', false);
  const mlpBias = config.flag('mlp_bias', false);
  const isTied = config.flag('tie_word_embeddings', false);
  if (headDim % 2 !== 0) throw invalid('files.config.head_dim', headDim, 'an even size: its halves are turned');
  const rotary = rotaryOf(config, headDim, maxLength);
  const ends = config.textEnds();

  const norm = (weights: Weights, name: string): Norm => weights.norm(name, e, epsilon, false);
  const block = (weights: Weights, index: number): Block => {
    const at = `layers.${index}`;
    const project = (name: string, outputs: number, inputs: number): Linear =>
      weights.linear(`${at}.self_attn.${name}_proj`, outputs, inputs, attentionBias);
    const mlp = (name: string, outputs: number, inputs: number): Linear =>
      weights.linear(`${at}.mlp.${name}_proj`, outputs, inputs, mlpBias);
    return {
      attention: {
        query: project('q', heads * headDim, e),
        key: project('k', kvHeads * headDim, e),
        value: project('v', kvHeads * headDim, e),
        output: project('o', e, heads * headDim),
      },
      attentionNorm: norm(weights, `${at}.input_layernorm`),
      feedForward: feedForward(mlp('up', hiddenSize, e), mlp('down', e, hiddenSize), mlp('gate', hiddenSize, e)),
      feedForwardNorm: norm(weights, `${at}.post_attention_layernorm`),
    };
  };
  return (weights) => {
    const { words, head } = weights.wordsAndHead(['embed_tokens.weight'], [vocabulary, e], isTied);
    return {
      type: 'llama',
      tokens: { vocabulary, maxLength, words },
      stack: {
        blocks: Array.from({ length: layers }, (_, index) => block(weights, index)),
        heads,
        kvHeads,
        headDim,
        embedSize: e,
        normFirst: true,
        activation,
        causal: true,
        rotary,
        finalNorm: norm(weights, 'norm'),
      },
      head,
      ...ends,
    };
  };
}

/** `rope_theta` and `rope_scaling`, or both in `rope_parameters` as newer files have them. */
function rotaryOf(config: Config, headDim: number, maxLength: number) {
  const newer = config.record('rope_parameters');
  const older = config.record('rope_scaling');
  if (newer && older) throw invalid('files.config.rope_scaling', older, 'none beside rope_parameters');
  const argument = `files.config.${newer ? 'rope_parameters' : 'rope_scaling'}`;
  const theta = newer?.rope_theta ?? undefined;
  if (theta !== undefined) config.only('rope_theta', theta);
  const base = config.number('rope_theta', theta === undefined ? 10000 : positive(`${argument}.rope_theta`, theta));
  config.only('partial_rotary_factor', 1);
  const given = newer ?? older;
  const scaling = given && scalingOf(argument, given, maxLength);
  readBase('files.config.rope_theta', base, scaling?.type);
  return { base, dims: headDim, ...(scaling && { scaling }) };
}

/** The numbers of a scaling by the names that a config has for them. */
const configNames: Record<ScalingNumber, string> = {
  factor: 'factor',
  originalContext: 'original_max_position_embeddings',
  lowFreqFactor: 'low_freq_factor',
  highFreqFactor: 'high_freq_factor',
  betaFast: 'beta_fast',
  betaSlow: 'beta_slow',
  attentionFactor: 'attention_factor',
};

function scalingOf(argument: string, given: Given, maxLength: number): RopeScaling | undefined {
  const types = ['default', ...(Object.keys(scalings) as RopeScaling['type'][])] as const;
  const [typeKey, otherKey] = isAbsent(given.rope_type) ? ['type', 'rope_type'] : ['rope_type', 'type'];
  const type = oneOf(`${argument}.${typeKey}`, given[typeKey as string] ?? 'default', types);
  if (!isAbsent(given[otherKey as string])) oneOf(`${argument}.${otherKey}`, given[otherKey as string], [type]);
  const names = type === 'default' ? [] : scalings[type].map(({ name }) => configNames[name]);
  const known = ['type', 'rope_type', 'rope_theta', ...names];
  for (const [name, value] of Object.entries(given)) {
    if (known.includes(name) || isAbsent(value)) continue;
    throw new AttentionError('INVALID_ARGUMENT', `${argument}.${name}`, `is not known for '${type}' positions`);
  }
  if (type === 'default') return undefined;
  const read = (name: ScalingNumber) =>
    given[configNames[name]] ?? (name === 'originalContext' ? maxLength : undefined);
  const numbers = Object.fromEntries(scalings[type].map(({ name }) => [name, read(name)]));
  const scaling = { type, ...numbers } as unknown as RopeScaling;
  try {
    readScaling(argument, scaling);
  } catch (error) {
    throw byConfigName(error, argument);
  }
  return scaling;
}

const isAbsent = (value: unknown): boolean => value === null || value === undefined;

/** A refusal of a number of a scaling, in terms of the config. */
function byConfigName(error: unknown, argument: string): unknown {
  if (!(error instanceof AttentionError) || !error.argument) return error;
  const name = configNames[error.argument.slice(argument.length + 1) as ScalingNumber];
  return new AttentionError(error.code, `${argument}.${name}`, error.message.slice(`${error.argument}: `.length));
}
