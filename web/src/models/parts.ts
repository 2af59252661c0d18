import type { FeedForwardWeights, LinearWeight, RopeScaling, Tensor } from '../types.js';
import type { Model } from './types.js';

/** What a checkpoint is made of, whatever its family: the families read it, and one model runs it. */

export interface Linear {
  readonly weight: LinearWeight;
  readonly bias?: Tensor<'float32'>;
}

/** LayerNorm, or RMSNorm where there is no bias. */
export interface Norm {
  readonly weight: Tensor<'float32'>;
  readonly bias?: Tensor<'float32'>;
  readonly epsilon: number;
}

/** Of embeddings: rows of floats, or of a weight that a linear layer shares. */
export type Table = Tensor | LinearWeight;

export interface Projections {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
}

/** Each part is added to what comes into it, normalised before the part or after the addition. */
export interface Block {
  readonly attention: Projections;
  readonly attentionNorm: Norm;
  /** Of decoders that also read an encoder. */
  readonly cross?: Projections;
  readonly crossNorm?: Norm;
  readonly feedForward: FeedForwardWeights;
  readonly feedForwardNorm: Norm;
}

export interface Stack {
  readonly blocks: readonly Block[];
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly embedSize: number;
  readonly normFirst: boolean;
  readonly activation: 'relu' | 'gelu' | 'gelu_tanh' | 'silu';
  readonly causal: boolean;
  /** Divides the scores of layer l by l + 1 more. */
  readonly scaleByLayer?: boolean;
  readonly rotary?: { readonly base: number; readonly dims: number; readonly scaling?: RopeScaling };
  readonly finalNorm?: Norm;
}

/** Ids become words[id]·scale + positions[position] + types[type], normalised. */
export interface TokenEmbedding {
  readonly vocabulary: number;
  /** The most tokens a sequence may have. */
  readonly maxLength: number;
  readonly words: Table;
  readonly scale?: number;
  readonly positions?: Tensor;
  /** RoBERTa gives this id the position of the same number and counts the others from the next one on. */
  readonly paddingId?: number;
  readonly types?: { readonly table: Tensor; readonly count: number };
  readonly norm?: Norm;
}

/** Pixels become linear(patch) behind a token of its own, + positions. */
export interface PatchEmbedding {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
  readonly projection: Linear;
  readonly firstToken: Tensor<'float32'>;
  readonly positions: Tensor<'float32'>;
}

export interface Checkpoint {
  readonly type: Model['type'];
  /** Of an encoder-decoder: the encoder, `stack` being the decoder. */
  readonly encoder?: Stack;
  readonly stack: Stack;
  readonly tokens?: TokenEmbedding;
  readonly patches?: PatchEmbedding;
  /** Of decoders: logits of the next token. Of 'vit': of the labels, by its first token. */
  readonly head?: Linear;
  /** tanh of a linear layer over the first token. */
  readonly pooler?: Linear;
  /** Ids that end a text, and that a text never has. */
  readonly stop: readonly number[];
  readonly never: readonly number[];
  /** Keys of config.json that ask generate() for what it does not do. */
  readonly unwritten?: readonly string[];
  /** Of an encoder-decoder: the id that its texts begin with. */
  readonly start?: number;
}
