import type { Integers, NdArray, TensorLike } from '../types.js';

/** F16 is a Uint16Array with dtype 'float16'; BF16 and F64 come as Float32Array. Views into `bytes` where aligned, copies elsewhere. */
export interface FileTensor {
  readonly data: Float32Array | Uint16Array | Int32Array | Int8Array | Uint8Array | BigInt64Array;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'float16' | 'int32' | 'int8' | 'uint8' | 'bool' | 'int64';
}

export interface ModelFiles {
  /**
   * Hugging Face's config.json, parsed. model_type: bert | distilbert | roberta; another one, or an option of it that
   * is not built: INVALID_ARGUMENT naming it.
   */
  config: { readonly model_type: string; readonly [key: string]: unknown };
  /** By Hugging Face names, with or without the leading 'bert.'; or the bytes of one .safetensors file. */
  tensors: Readonly<Record<string, TensorLike>> | ArrayBuffer | Uint8Array;
}

/** One sequence, sequences of any lengths (padded on the right inside), or a tensor [S] or [B,S]. */
export type TokenIds = Integers | readonly Integers[] | TensorLike;

/** Which attention weights to return: all, or those of some layers and heads, in the order given. */
export type AttentionTap = boolean | { readonly layers?: readonly number[]; readonly heads?: readonly number[] };

export interface ModelOptions {
  /** [B,S], 1 or true attends. Default: every token, or the lengths of a ragged batch. */
  attentionMask?: TokenIds;
  /** [B,S]; 0 by default. */
  tokenTypeIds?: TokenIds;
  /** Stops between layers with ABORTED, cause = signal.reason. */
  signal?: AbortSignal;
}

export interface ForwardOptions<A extends AttentionTap = AttentionTap> extends ModelOptions {
  attention?: A;
  hiddenStates?: boolean;
  /** Called after each layer, counted from 0. */
  onLayer?: (layer: number, layers: number) => void;
}

/** B is there also for one sequence; columns of padding are zeros, its rows mean nothing. */
export interface ForwardResult<A = AttentionTap> {
  /** [B,S,E]. */
  lastHiddenState: NdArray;
  /** One per layer asked for, in that order: [B, heads asked, S, S]. */
  attentions: A extends false ? undefined : NdArray[];
  /** [B,E]: the pooler's tanh over the first token, where the file has a pooler. */
  pooled?: NdArray;
  /** L+1 of [B,S,E]: embeddings, then each layer's output. */
  hiddenStates?: NdArray[];
}

export interface EmbedOptions extends ModelOptions {
  /** 'mean' by default, over attended tokens; 'cls': the first token; 'last': the last attended token. */
  pooling?: 'mean' | 'cls' | 'last';
  /** Divides by the Euclidean length; true by default. */
  normalize?: boolean;
}

/** Promises give way to the event loop between layers. Calls on one model run one after another. */
export interface Model extends Disposable {
  readonly type: 'bert' | 'distilbert' | 'roberta';
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly embedSize: number;
  /** The most tokens a sequence may have. */
  readonly maxLength: number;
  /** Memory the weights take. */
  readonly byteLength: number;
  forward<A extends AttentionTap = false>(
    input: TokenIds,
    options?: ForwardOptions<A>,
  ): Promise<ForwardResult<NoInfer<A>>>;
  /** [B,E]. */
  embed(input: TokenIds, options?: EmbedOptions): Promise<NdArray>;
  /** Gives the weights' memory back. Twice is fine. */
  dispose(): void;
}
