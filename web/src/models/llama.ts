import { oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import type { RopeScaling } from '../types.js';
import { type Config, positive } from './config.js';
import type { Block, Checkpoint, Linear, Norm } from './parts.js';
import { feedForward, type Weights } from './weights.js';

type Given = Readonly<Record<string, unknown>>;

/** Touvron et al. 2023: RMSNorm first, rotary positions, heads that share keys, gated SiLU. */
export function llama(config: Config): (weights: Weights) => Checkpoint {
  const activation = config.activation('hidden_act', 'silu');
  config.only('sliding_window');
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
  const epsilon = config.number('rms_norm_eps', 1e-6);
  const attentionBias = config.flag('attention_bias', false);
  const mlpBias = config.flag('mlp_bias', false);
  const isTied = config.flag('tie_word_embeddings', false);
  if (headDim % 2 !== 0) throw invalid('files.config.head_dim', headDim, 'an even size: its halves are turned');
  const rotary = rotaryOf(config, headDim, maxLength);
  const ends = config.textEnds();

  const norm = (weights: Weights, name: string): Norm => ({ weight: weights.float32(`${name}.weight`, [e]), epsilon });
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
    const { words, head } = weights.wordsAndHead('embed_tokens.weight', [vocabulary, e], isTied);
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
  if (newer?.rope_theta !== undefined) config.only('rope_theta', newer.rope_theta);
  const base = config.number('rope_theta', number(newer, 'rope_parameters', 'rope_theta', 10000) as number);
  config.only('partial_rotary_factor', 1);
  const [key, given] = newer ? ['rope_parameters', newer] : ['rope_scaling', older];
  const scaling = given && scalingOf(key as string, given, maxLength);
  if (scaling?.type === 'yarn' && base <= 1) throw invalid('files.config.rope_theta', base, 'above 1 beside yarn');
  return { base, dims: headDim, ...(scaling && { scaling }) };
}

/** What each type of scaling may say, beside its type and the base. */
const scalingKeys = {
  default: [],
  linear: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
  yarn: ['factor', 'original_max_position_embeddings', 'beta_fast', 'beta_slow', 'attention_factor'],
} as const;

function scalingOf(key: string, given: Given, maxLength: number): RopeScaling | undefined {
  const argument = `files.config.${key}`;
  const types = Object.keys(scalingKeys) as (keyof typeof scalingKeys)[];
  const [typeKey, otherKey] = given.rope_type === undefined ? ['type', 'rope_type'] : ['rope_type', 'type'];
  const type = oneOf(`${argument}.${typeKey}`, given[typeKey as string] ?? 'default', types);
  if (given[otherKey as string] !== undefined) oneOf(`${argument}.${otherKey}`, given[otherKey as string], [type]);
  const known: readonly string[] = ['type', 'rope_type', 'rope_theta', ...scalingKeys[type]];
  for (const [name, value] of Object.entries(given)) {
    if (known.includes(name) || value === null || value === undefined) continue;
    throw new AttentionError('INVALID_ARGUMENT', `${argument}.${name}`, `is not known for '${type}' positions`);
  }
  if (type === 'default') return undefined;
  const read = (name: string, standard?: number) => number(given, key, name, standard) as number;
  const readAbove = (name: string, least: number, standard?: number) => {
    const value = read(name, standard);
    if (value > least) return value;
    throw invalid(`${argument}.${name}`, value, `above ${least}`);
  };
  const factor = read('factor');
  if (type === 'linear') return { type, factor };
  const originalContext = read('original_max_position_embeddings', maxLength);
  if (type === 'llama3') {
    const lowFreqFactor = read('low_freq_factor');
    const highFreqFactor = readAbove('high_freq_factor', lowFreqFactor);
    return { type, factor, lowFreqFactor, highFreqFactor, originalContext };
  }
  const attentionFactor = number(given, key, 'attention_factor', undefined, true);
  const betaSlow = read('beta_slow', 1);
  return {
    type,
    factor,
    originalContext,
    betaFast: readAbove('beta_fast', betaSlow, 32),
    betaSlow,
    ...(attentionFactor === undefined ? {} : { attentionFactor }),
  };
}

function number(given: Given | undefined, key: string, name: string, standard?: number, isOptional = false) {
  const value = given?.[name] ?? standard;
  return value === undefined && isOptional ? undefined : positive(`files.config.${key}.${name}`, value);
}
