import type { Integers, KvCacheConfig, Mask, NdArray, TensorLike } from '../types.js';

/** F16 is a Uint16Array with dtype 'float16'; BF16 and F64 come as Float32Array. Views into `bytes` where aligned, copies elsewhere. */
export interface FileTensor {
  readonly data: Float32Array | Uint16Array | Int32Array | Int8Array | Uint8Array | BigInt64Array;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'float16' | 'int32' | 'int8' | 'uint8' | 'bool' | 'int64';
}

export interface ModelFiles {
  /**
   * Hugging Face's config.json, parsed. model_type: bert | distilbert | roberta | gpt2 | llama | vit | marian; another
   * one, or an option of it that is not built: INVALID_ARGUMENT naming it.
   */
  config: { readonly model_type: string; readonly [key: string]: unknown };
  /**
   * By Hugging Face names, with or without the leading 'bert.', 'transformer.', 'model.', 'vit.'; or the bytes of one
   * .safetensors file.
   */
  tensors: Readonly<Record<string, TensorLike>> | ArrayBuffer | Uint8Array;
}

/** One sequence, sequences of any lengths (padded on the right inside), or a tensor [S] or [B,S]. */
export type TokenIds = Integers | readonly Integers[] | TensorLike;

/** Which attention weights to return: all, or those of some layers and heads, in the order given. */
export type AttentionTap = boolean | { readonly layers?: readonly number[]; readonly heads?: readonly number[] };

/** Of an encoder-decoder, mask, ablateHeads and attentionTemperature change the decoder's own attention. */
export interface ModelOptions {
  /**
   * [B,S], 1 attends. Default: every token, or the lengths of a ragged batch. Decoders count positions over attended
   * tokens, so that padding on the left works; a cache remembers the mask of what it holds.
   */
  attentionMask?: TokenIds;
  /** [B,S]; 0 by default. Of BERT and RoBERTa. */
  tokenTypeIds?: TokenIds;
  /** Beside the model's own rule, as `options.mask` of attention: one for every layer, or one for each (null: none). */
  mask?: Mask | TensorLike | readonly (Mask | TensorLike | null)[];
  /** Heads whose attended values are taken as zero (Michel et al. 2019). */
  ablateHeads?: readonly (readonly [layer: number, head: number])[];
  /** Scores are divided by it before the softmax; above 0, 1 by default. */
  attentionTemperature?: number;
  /** Stops between layers and tokens with ABORTED, cause = signal.reason; a cache is then as before the call. */
  signal?: AbortSignal;
}

export interface ForwardOptions<A extends AttentionTap = AttentionTap> extends ModelOptions {
  attention?: A;
  hiddenStates?: boolean;
  /** Encoder-decoders: the target so far. Attentions are then the decoder's own, with the two others beside them. */
  decoderIds?: TokenIds;
  /** Queries, keys, values and log-sum-exp of each layer. */
  projections?: boolean;
  /** Decoders: 'last' [B,1,V] of each sequence's last attended token (default), 'all' [B,S,V], or none. */
  logits?: 'last' | 'all' | false;
  /** Decoders: the input continues what the cache holds. */
  cache?: ModelCache;
  /** Called after each layer, counted from 0; an encoder's layers come before its decoder's. */
  onLayer?: (layer: number, layers: number) => void;
}

/** What attention was made of: any probability is exp(scale·q·k − logSumExp), at any length. */
export interface LayerProjections {
  /** [B,H,S,D], after rotary positions. */
  query: NdArray;
  /** [B,Hkv,Skv,D], after rotary positions; all that a cache holds, as it keeps it, and zeros where it no longer does. */
  key: NdArray;
  /** [B,Hkv,Skv,D]. */
  value: NdArray;
  /** [B,H,S]. */
  logSumExp: NdArray;
  scale: number;
}

/** B is there also for one sequence; columns of padding are zeros, its rows mean nothing. */
export interface ForwardResult<A = AttentionTap> {
  /** [B,S,E], after the final norm where there is one. */
  lastHiddenState: NdArray;
  /** One per layer asked for, in that order: [B, heads asked, S, Skv]. */
  attentions: A extends false ? undefined : NdArray[];
  /** Of an encoder-decoder: [B, heads asked, S of the input, the same] and [B, heads asked, S, S of the input]. */
  encoderAttentions?: NdArray[];
  crossAttentions?: NdArray[];
  /** L+1 of [B,S,E]: embeddings, then each layer's output, before any final norm. */
  hiddenStates?: NdArray[];
  /** One per layer. */
  projections?: LayerProjections[];
  /** Decoders: of the next token. 'vit': [B,labels], where the file has a classifier. */
  logits?: NdArray;
  /** tanh of a linear layer over the first token, [B,E], where the file has a pooler. */
  pooled?: NdArray;
}

export interface EmbedOptions extends ModelOptions {
  /** 'mean' by default, over attended tokens; 'cls': the first token; 'last': the last attended token. */
  pooling?: 'mean' | 'cls' | 'last';
  /** Divides by the Euclidean length; true by default. */
  normalize?: boolean;
}

export interface GenerateOptions<A extends AttentionTap = AttentionTap> extends ModelOptions {
  /** From 1 on; with prompt and cache at most the model's maxLength. */
  maxNewTokens: number;
  /** 0 by default: the most likely token, and the other three are refused. */
  temperature?: number;
  /** Only so many of the most likely tokens (Fan et al. 2018). */
  topK?: number;
  /** Only the fewest most likely tokens whose share of probability, of the topK where given, reaches it (Holtzman et al. 2020). */
  topP?: number;
  /** The same seed, the same tokens; 0 by default. */
  seed?: number;
  /** Ids that end the text; the config's eos_token_id by default; [] never stops. */
  stop?: Integers;
  /**
   * The prompt continues what it holds. It then holds every token that was read: all but the last new one, or all where a
   * stop id ended the text.
   */
  cache?: ModelCache;
  attention?: A;
  /**
   * Awaited after each token; false ends. It must not wait for another call of this model, which waits for this one. logProbability is the model's own, whatever temperature, topK and topP say.
   * attentions: one per layer asked for, [1, heads asked, rows of this step, Skv]; the first step's rows are the prompt's.
   */
  onToken?: (token: {
    id: number;
    index: number;
    logProbability: number;
    attentions: A extends false ? undefined : NdArray[];
  }) => unknown;
}

/** capacity is the model's maxLength by default. */
export type CacheOptions = Omit<KvCacheConfig, 'numKvHeads' | 'headDim' | 'valueDim'>;

/** Promises give way to the event loop between layers. Calls on one model run one after another. */
export interface Model extends Disposable {
  readonly type: 'bert' | 'distilbert' | 'roberta' | 'gpt2' | 'llama' | 'vit' | 'marian';
  /** Of an encoder-decoder, these three are the decoder's. */
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly embedSize: number;
  /** The most tokens a sequence may have; of 'vit' those it has. */
  readonly maxLength: number;
  /** Memory the weights take. */
  readonly byteLength: number;
  /** Token ids; for 'vit' pixels [B,C,height,width], normalised as the model was trained. */
  forward<A extends AttentionTap = false>(
    input: TokenIds,
    options?: ForwardOptions<A>,
  ): Promise<ForwardResult<NoInfer<A>>>;
  /** [B,E]; of an encoder-decoder by its encoder. */
  embed(input: TokenIds, options?: EmbedOptions): Promise<NdArray>;
  /**
   * The new ids, without prompt and stop id: of decoders for one sequence; of an encoder-decoder for one source.
   * @throws AttentionError INVALID_ARGUMENT where prompt and maxNewTokens are more than maxLength; CAPACITY_EXCEEDED
   * where they are more than the cache takes, before any work.
   */
  generate<A extends AttentionTap = false>(
    prompt: Integers | TensorLike,
    options: GenerateOptions<A>,
  ): Promise<Int32Array<ArrayBuffer>>;
  /** Of decoders: keys and values of all layers, for forward() and generate() of this model. */
  createCache(options?: CacheOptions): ModelCache;
  /** Gives the weights' memory back. Twice is fine. */
  dispose(): void;
}

/** Keys and values of all layers of a model. */
export interface ModelCache extends Disposable {
  /** Tokens seen, after the last finished call. */
  readonly length: number;
  readonly byteLength: number;
  truncate(length: number): void;
  clear(): void;
  fork(): ModelCache;
  dispose(): void;
}
