/// <reference lib="esnext.disposable" preserve="true" />
import type { KvCache } from './kv-cache.js';
import type { AttentionCall } from './rules.js';
import type { TensorLike } from './tensors.js';

/**
 * Weights [out,in] of a linear layer, copied into the order its kernel reads them: made once, they save each call the
 * sorting, which is most of the work where the rows are few. Free it with `using` or dispose().
 */
export interface LinearWeight extends Disposable {
  /** [out,in]. */
  readonly shape: readonly number[];
  readonly dims: readonly number[];
  readonly dtype: 'float32' | 'int8';
  readonly byteLength: number;
  dispose(): void;
}

/** query [H·D,E], key [Hkv·D,E], value [Hkv·Dv,E], output [E,H·Dv]; biases as long as the rows. */
export interface ProjectionWeights<T = TensorLike> {
  query: T;
  key: T;
  value: T;
  output?: T;
  queryBias?: T;
  keyBias?: T;
  valueBias?: T;
  outputBias?: T;
}

/** up [F,E], down [E,F], gate [F,E]. */
export interface FeedForwardWeights {
  up: TensorLike | LinearWeight;
  down: TensorLike | LinearWeight;
  gate?: TensorLike | LinearWeight;
  upBias?: TensorLike;
  downBias?: TensorLike;
  gateBias?: TensorLike;
}

export interface MultiHeadConfig {
  /** E, of queries and of the result; D = E/numHeads. */
  embedDim: number;
  numHeads: number;
  /** numHeads by default; a divisor of it. */
  numKvHeads?: number;
  /** Sizes of keys and values as they come in; E by default. Given, the three projections are separate weights. */
  kdim?: number;
  vdim?: number;
}

export interface MultiHeadExtras {
  /** weights [B,Sq,Skv], the mean over the heads, instead of [B,H,Sq,Skv]. */
  averageWeights?: boolean;
  /**
   * Projected keys and values are appended to it, and the queries see all it holds: causal by default.
   * @throws AttentionError SHAPE_MISMATCH where its sizes are not the layer's.
   */
  cache?: KvCache;
}

/** A layer with its weights in WebAssembly memory. */
export interface MultiHeadAttention extends Disposable {
  /** query [B,Sq,E] or [Sq,E], key [B,Skv,kdim], value [B,Skv,vdim]; key defaults to query, value to key. */
  forward: AttentionCall<[query: TensorLike], MultiHeadExtras> &
    AttentionCall<[query: TensorLike, key: TensorLike | undefined, value?: TensorLike], MultiHeadExtras>;
  dispose(): void;
}

/** Longer contexts than a model was trained for, as the config.json of checkpoints have them. */
export type RopeScaling =
  /** Positions divided by `factor` (Chen et al. 2023). */
  | { type: 'linear'; factor: number }
  /** Long wavelengths divided by `factor`, short ones kept (Llama 3.1). */
  | { type: 'llama3'; factor: number; lowFreqFactor: number; highFreqFactor: number; originalContext: number }
  /**
   * Peng et al. 2023. betaFast 32, betaSlow 1 by default; attentionFactor, 0.1·ln(factor)+1 by default, multiplies cos
   * and sin.
   */
  | {
      type: 'yarn';
      factor: number;
      originalContext: number;
      betaFast?: number;
      betaSlow?: number;
      attentionFactor?: number;
    };
