/// <reference lib="esnext.disposable" preserve="true" />
import type { KvCache } from './kv-cache.js';
import type { AttentionOptions, AttentionResult, Stage } from './rules.js';
import type { Out, OutOption, TensorLike } from './tensors.js';

/**
 * Weights [out,in] of a linear layer, packed once in the order in which the kernel reads them. A call that is given
 * plain weights packs them first; for inputs with few rows that takes longer than the multiplication. Free it with
 * `using` or dispose().
 */
export interface LinearWeight extends Disposable {
  /** [out,in]. */
  readonly shape: readonly number[];
  /** The same as `shape`. */
  readonly dims: readonly number[];
  /** How the weights are kept: exactly, or as 8-bit integers with a factor for each output. */
  readonly dtype: 'float32' | 'int8';
  /** Bytes of WebAssembly memory that they take, factors and padding included. */
  readonly byteLength: number;
  /** Gives the memory back; calls that are given it then throw DISPOSED. May be called twice. */
  dispose(): void;
}

/**
 * Weights [out,in] of the linear layers around attention (Vaswani et al. 2017, 3.2.2); biases as long as the rows, and
 * none by default.
 */
export interface ProjectionWeights<T = TensorLike> {
  /** W_Q, [H·D,E]: query head h owns rows h·D to (h+1)·D. */
  query: T;
  /** W_K, [Hkv·D,E], or [Hkv·D,Ec] where keys come from a context. */
  key: T;
  /** W_V, [Hkv·Dv,E], or [Hkv·Dv,Ec] where values come from a context. */
  value: T;
  /** W_O, [E,H·Dv]; without it the attended values of all heads are the result. */
  output?: T;
  /** [H·D]. */
  queryBias?: T;
  /** [Hkv·D]. */
  keyBias?: T;
  /** [Hkv·Dv]. */
  valueBias?: T;
  /** [E]; INVALID_ARGUMENT without output. */
  outputBias?: T;
}

/** Weights [out,in] of a feed-forward network with inner size F; biases are none by default. */
export interface FeedForwardWeights {
  /** [F,E]: its values are activated, unless there is a gate. */
  up: TensorLike | LinearWeight;
  /** [E,F]. */
  down: TensorLike | LinearWeight;
  /** [F,E]: its activated values multiply those of up (Shazeer 2020, arXiv:2002.05202). None by default. */
  gate?: TensorLike | LinearWeight;
  /** [F]. */
  upBias?: TensorLike;
  /** [E]. */
  downBias?: TensorLike;
  /** [F]; INVALID_ARGUMENT without gate. */
  gateBias?: TensorLike;
}

/** Sizes of a layer, as torch.nn.MultiheadAttention has them; integers from 1 on, others are INVALID_ARGUMENT. */
export interface MultiHeadConfig {
  /** E, of queries and of the result; D = E/numHeads. */
  embedDim: number;
  /** H, a divisor of E. */
  numHeads: number;
  /** Hkv: numHeads by default; a divisor of it (grouped queries, which torch's layer does not have). */
  numKvHeads?: number;
  /** Size of keys as they come in; E by default. Another one than E wants three separate projection weights. */
  kdim?: number;
  /** Size of values as they come in; E by default. Another one than E wants three separate projection weights. */
  vdim?: number;
}

/** What the layer takes beside attention's options; of these numHeads and numKvHeads can only be its own. */
export interface MultiHeadExtras {
  /**
   * weights [B,Sq,Skv], the mean over the heads (torch's average_attn_weights), instead of [B,H,Sq,Skv]; false by
   * default, INVALID_ARGUMENT without weights.
   */
  averageWeights?: boolean;
  /**
   * Projected keys and values are appended to it, and the queries see all it holds: causal by default.
   * @throws AttentionError SHAPE_MISMATCH where its sizes are not the layer's; CAPACITY_EXCEEDED; DISPOSED;
   * INVALID_ARGUMENT for a cache of another engine.
   */
  cache?: KvCache;
}

/** What follows a query: options, or key, value and options; what is left out in between is undefined. */
export type OptionalInputs<T, Options> =
  | [options?: Options]
  | [key: T | undefined, value?: T | undefined, options?: Options];

/** torch.nn.MultiheadAttention, batch first: a layer with its weights in WebAssembly memory. */
export interface MultiHeadAttention extends Disposable {
  /**
   * query [B,Sq,E] or [Sq,E], key [B,Skv,kdim], value [B,Skv,vdim] → output [B,Sq,E] or [Sq,E]. The key defaults to the
   * query, the value to the key.
   * @throws AttentionError SHAPE_MISMATCH; INVALID_ARGUMENT for a key or value left out whose size is not the layer's;
   * UNSUPPORTED_DTYPE; DISPOSED.
   */
  forward<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    query: TensorLike,
    ...rest: OptionalInputs<TensorLike, AttentionOptions<W, L, O> & OutOption<Out | undefined> & MultiHeadExtras>
  ): AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>;
  /** Gives the weights' memory back; forward() then throws DISPOSED. May be called twice. */
  dispose(): void;
}

/**
 * Longer contexts than a model was trained for, as the config.json of checkpoints have them. Numbers are above 0;
 * others are INVALID_ARGUMENT.
 */
export type RopeScaling =
  /** Positions divided by `factor` (position interpolation, Chen et al. 2023, arXiv:2306.15595). */
  | {
      /** As config.json's rope_type. */
      type: 'linear';
      /** How many times longer the context is. */
      factor: number;
    }
  /** Frequencies of long wavelengths divided by `factor`, those of short ones kept (Llama 3.1, arXiv:2407.21783). */
  | {
      /** As config.json's rope_type. */
      type: 'llama3';
      /** What divides the frequencies of long wavelengths. */
      factor: number;
      /** Wavelengths above originalContext/lowFreqFactor tokens are long. */
      lowFreqFactor: number;
      /**
       * Wavelengths below originalContext/highFreqFactor tokens are short; above lowFreqFactor. In between: in part.
       */
      highFreqFactor: number;
      /** The context of training, in tokens. */
      originalContext: number;
    }
  /** YaRN: between interpolation and none by the number of turns (Peng et al. 2023, arXiv:2309.00071). */
  | {
      /** As config.json's rope_type. */
      type: 'yarn';
      /** What divides the frequencies of pairs with few turns. */
      factor: number;
      /** The context of training, in tokens. */
      originalContext: number;
      /** Pairs with more turns over originalContext are kept; above betaSlow, 32 by default. */
      betaFast?: number;
      /** Pairs with fewer turns over originalContext are divided by `factor`; 1 by default. */
      betaSlow?: number;
      /** Multiplies cos and sin; 0.1·ln(factor)+1 by default. */
      attentionFactor?: number;
    };
