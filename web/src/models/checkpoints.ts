import { integer, oneOf } from '../arguments.js';
import { invalid } from '../errors.js';
import type { ModelFiles } from './types.js';

/** An encoder's sizes and the names its checkpoint has for each part. */
export interface Checkpoint {
  readonly type: 'bert' | 'distilbert' | 'roberta';
  readonly prefix: string;
  readonly layers: number;
  readonly heads: number;
  readonly embedSize: number;
  readonly hiddenSize: number;
  readonly vocabulary: number;
  readonly positions: number;
  /** RoBERTa gives this id the position of the same number and counts the others from the next one on. */
  readonly paddingId: number | undefined;
  /** 0 where the model has no token types. */
  readonly tokenTypes: number;
  readonly epsilon: number;
  readonly activation: 'gelu' | 'relu';
  readonly layer: (index: number) => LayerNames;
}

/** Names without their ".weight" and ".bias". */
export interface LayerNames {
  query: string;
  key: string;
  value: string;
  output: string;
  attentionNorm: string;
  up: string;
  down: string;
  outputNorm: string;
}

type Config = ModelFiles['config'];

export function readConfig(config: Config): Checkpoint {
  if (config === null || typeof config !== 'object') throw invalid('files.config', config, 'a parsed config.json');
  const type = oneOf('files.config.model_type', config.model_type, ['bert', 'distilbert', 'roberta'] as const, [
    'gpt2',
    'llama',
    'vit',
    'marian',
  ]);
  const checkpoint = type === 'distilbert' ? distilbert(config) : bert(config, type);
  if (checkpoint.embedSize % checkpoint.heads !== 0) {
    const key = type === 'distilbert' ? 'n_heads' : 'num_attention_heads';
    throw invalid(`files.config.${key}`, checkpoint.heads, `a divisor of the embedding size ${checkpoint.embedSize}`);
  }
  return checkpoint;
}

function bert(config: Config, type: 'bert' | 'roberta'): Checkpoint {
  refuseOther(config, 'position_embedding_type', 'absolute');
  refuseOther(config, 'is_decoder', false);
  refuseOther(config, 'add_cross_attention', false);
  return {
    type,
    prefix: `${type}.`,
    layers: size(config, 'num_hidden_layers'),
    heads: size(config, 'num_attention_heads'),
    embedSize: size(config, 'hidden_size'),
    hiddenSize: size(config, 'intermediate_size'),
    vocabulary: size(config, 'vocab_size'),
    positions: size(config, 'max_position_embeddings'),
    paddingId: type === 'roberta' ? integer('files.config.pad_token_id', config.pad_token_id ?? 1, 0) : undefined,
    tokenTypes: size(config, 'type_vocab_size'),
    epsilon: config.layer_norm_eps === undefined ? 1e-12 : Number(config.layer_norm_eps),
    activation: activation(config, 'hidden_act'),
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
  };
}

function distilbert(config: Config): Checkpoint {
  return {
    type: 'distilbert',
    prefix: 'distilbert.',
    layers: size(config, 'n_layers'),
    heads: size(config, 'n_heads'),
    embedSize: size(config, 'dim'),
    hiddenSize: size(config, 'hidden_dim'),
    vocabulary: size(config, 'vocab_size'),
    positions: size(config, 'max_position_embeddings'),
    paddingId: undefined,
    tokenTypes: 0,
    epsilon: 1e-12,
    activation: activation(config, 'activation'),
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
  };
}

function size(config: Config, key: string): number {
  return integer(`files.config.${key}`, config[key], 1);
}

function activation(config: Config, key: string): 'gelu' | 'relu' {
  return oneOf(`files.config.${key}`, config[key] ?? 'gelu', ['gelu', 'relu'] as const);
}

/** Options that change what the model computes are refused where they differ from what is built. */
function refuseOther(config: Config, key: string, built: unknown): void {
  if (config[key] !== undefined) oneOf(`files.config.${key}`, config[key], [built]);
}
