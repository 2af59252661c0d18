import { invalid } from '../errors.js';
import type { Config } from './config.js';
import type { Block, Checkpoint, Stack } from './parts.js';
import { feedForward, type Weights } from './weights.js';

/** Names without their ".weight" and ".bias". */
interface LayerNames {
  query: string;
  key: string;
  value: string;
  output: string;
  attentionNorm: string;
  up: string;
  down: string;
  outputNorm: string;
}

interface Sizes {
  layers: number;
  heads: number;
  embedSize: number;
  hiddenSize: number;
  vocabulary: number;
  positions: number;
  /** 0 where the model has no token types. */
  tokenTypes: number;
  paddingId: number | undefined;
  epsilon: number;
  activation: Stack['activation'];
  layer: (index: number) => LayerNames;
}

/** BERT (Devlin et al. 2018) and RoBERTa (Liu et al. 2019). */
export function bert(config: Config, type: 'bert' | 'roberta'): (weights: Weights) => Checkpoint {
  config.only('position_embedding_type', 'absolute');
  config.only('is_decoder', false);
  config.only('add_cross_attention', false);
  config.ignore('tie_word_embeddings');
  const embedSize = config.size('hidden_size');
  return encoder(type, {
    layers: config.size('num_hidden_layers'),
    heads: divisor(config, 'num_attention_heads', embedSize),
    embedSize,
    hiddenSize: config.size('intermediate_size'),
    vocabulary: config.size('vocab_size'),
    positions: config.size('max_position_embeddings'),
    paddingId: type === 'roberta' ? config.id('pad_token_id', 1) : undefined,
    tokenTypes: config.size('type_vocab_size'),
    epsilon: config.epsilon('layer_norm_eps', 1e-12),
    activation: config.activation('hidden_act', 'gelu'),
    layer: (index) => {
      const at = `encoder.layer.${index}`;
      return {
        query: `${at}.attention.self.query`,
        key: `${at}.attention.self.key`,
        value: `${at}.attention.self.value`,
        output: `${at}.attention.output.dense`,
        attentionNorm: `${at}.attention.output.LayerNorm`,
        up: `${at}.intermediate.dense`,
        down: `${at}.output.dense`,
        outputNorm: `${at}.output.LayerNorm`,
      };
    },
  });
}

/** Sanh et al. 2019: BERT without token types and pooler. */
export function distilbert(config: Config): (weights: Weights) => Checkpoint {
  // Sinusoidal positions, too, are stored as a table.
  config.ignore('sinusoidal_pos_embds', 'tie_word_embeddings', 'tie_weights_');
  const embedSize = config.size('dim');
  return encoder('distilbert', {
    layers: config.size('n_layers'),
    heads: divisor(config, 'n_heads', embedSize),
    embedSize,
    hiddenSize: config.size('hidden_dim'),
    vocabulary: config.size('vocab_size'),
    positions: config.size('max_position_embeddings'),
    paddingId: undefined,
    tokenTypes: 0,
    epsilon: 1e-12,
    activation: config.activation('activation', 'gelu'),
    layer: (index) => {
      const at = `transformer.layer.${index}`;
      return {
        query: `${at}.attention.q_lin`,
        key: `${at}.attention.k_lin`,
        value: `${at}.attention.v_lin`,
        output: `${at}.attention.out_lin`,
        attentionNorm: `${at}.sa_layer_norm`,
        up: `${at}.ffn.lin1`,
        down: `${at}.ffn.lin2`,
        outputNorm: `${at}.output_layer_norm`,
      };
    },
  });
}

/** A count of heads that an embedding splits into. */
export function divisor(config: Config, key: string, embedSize: number): number {
  const heads = config.size(key);
  if (embedSize % heads === 0) return heads;
  throw invalid(`files.config.${key}`, heads, `a divisor of the embedding size ${embedSize}`);
}

function encoder(type: 'bert' | 'roberta' | 'distilbert', sizes: Sizes): (weights: Weights) => Checkpoint {
  const { heads, embedSize: e, vocabulary, positions, tokenTypes, paddingId, epsilon, activation } = sizes;
  return (weights) => ({
    type,
    tokens: {
      vocabulary,
      maxLength: paddingId === undefined ? positions : positions - paddingId - 1,
      words: weights.table('embeddings.word_embeddings.weight', [vocabulary, e]),
      positions: weights.fileTable('embeddings.position_embeddings.weight', [positions, e]),
      ...(paddingId === undefined ? {} : { paddingId }),
      ...(tokenTypes === 0 ? {} : { types: tokenTypesOf(weights, tokenTypes, e) }),
      norm: weights.norm('embeddings.LayerNorm', e, epsilon),
    },
    stack: {
      blocks: Array.from({ length: sizes.layers }, (_, index) => block(weights, sizes, index)),
      heads,
      kvHeads: heads,
      headDim: e / heads,
      embedSize: e,
      normFirst: false,
      activation,
      causal: false,
    },
    ...(weights.has('pooler.dense.weight') ? { pooler: weights.linear('pooler.dense', e, e) } : {}),
    stop: [],
    never: [],
  });
}

function tokenTypesOf(weights: Weights, count: number, size: number) {
  return { table: weights.fileTable('embeddings.token_type_embeddings.weight', [count, size]), count };
}

function block(weights: Weights, { embedSize: e, hiddenSize: f, epsilon, layer }: Sizes, index: number): Block {
  const names = layer(index);
  const [up, down] = [weights.linear(names.up, f, e), weights.linear(names.down, e, f)];
  return {
    attention: {
      query: weights.linear(names.query, e, e),
      key: weights.linear(names.key, e, e),
      value: weights.linear(names.value, e, e),
      output: weights.linear(names.output, e, e),
    },
    attentionNorm: weights.norm(names.attentionNorm, e, epsilon),
    feedForward: feedForward(up, down),
    feedForwardNorm: weights.norm(names.outputNorm, e, epsilon),
  };
}
