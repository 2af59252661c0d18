import type { Integers, KvCacheConfig, Mask, NdArray, TensorLike } from '../types.js';

export type { CreateModelOptions, FileTensor, ModelFiles } from './file-types.js';

/**
 * One sequence, sequences of any lengths (padded on the right inside), or a tensor [S] or [B,S] of integers. No tokens,
 * or an id outside the vocabulary: INVALID_ARGUMENT.
 */
export type TokenIds = Integers | readonly Integers[] | TensorLike;

/**
 * An image of red, green, blue and alpha, as an ImageData has it, of the size that a 'vit' model takes. It is normalised
 * as Google's ViT checkpoints were trained: (byte/255 − 0.5)/0.5. Alpha is left out. For a model whose
 * preprocessor_config.json has another image_mean or image_std, give the pixels as a float tensor instead.
 */
export interface ImagePixels {
  /** Four bytes a pixel, row by row. */
  readonly data: Uint8ClampedArray;
  /** Pixels in a row: the model's image_size, else SHAPE_MISMATCH. */
  readonly width: number;
  /** Rows: the same number. */
  readonly height: number;
}

/**
 * Which attention weights to return: all, or those of some layers and heads, in the order given. An index that the
 * model does not have is INVALID_ARGUMENT.
 */
export type AttentionTap =
  | boolean
  | {
      /** Layers, counted from 0; all by default. */
      readonly layers?: readonly number[];
      /** Query heads of each of them, counted from 0; all by default. */
      readonly heads?: readonly number[];
    };

/**
 * What every pass through a model takes. Of an encoder-decoder, mask, ablateHeads and attentionTemperature change the
 * decoder's own attention. An option that the family does not have is INVALID_ARGUMENT.
 */
export interface ModelOptions {
  /**
   * [B,S], 1 attends. Default: every token, or the lengths of a ragged batch. Decoders count positions over attended
   * tokens, so that padding on the left works; a cache remembers the mask of what it holds.
   */
  attentionMask?: TokenIds;
  /** [B,S] rows of the table of token types (BERT's segments); 0 by default. Of BERT and RoBERTa. */
  tokenTypeIds?: TokenIds;
  /**
   * Beside the model's own rule, as `options.mask` of attention: one for every layer, or one for each (null: none),
   * else SHAPE_MISMATCH. None by default.
   */
  mask?: Mask | TensorLike | readonly (Mask | TensorLike | null)[];
  /** Heads, counted from 0, whose attended values are taken as zero (Michel et al. 2019, arXiv:1905.10650). */
  ablateHeads?: readonly (readonly [layer: number, head: number])[];
  /** Scores are divided by it before the softmax; above 0, 1 by default. */
  attentionTemperature?: number;
  /** Stops between layers and tokens with ABORTED, cause = signal.reason; a cache is then as before the call. */
  signal?: AbortSignal;
}

/** What forward() is asked for beside the last hidden state. */
export interface ForwardOptions<A extends AttentionTap = AttentionTap> extends ModelOptions {
  /** Attention probabilities, S·Skv·4 bytes for each head of each sequence; false by default. */
  attention?: A;
  /** Embeddings and the output of each layer; false by default. */
  hiddenStates?: boolean;
  /**
   * Encoder-decoders, required of them: the target so far, of the input's B. Attentions are then the decoder's own,
   * with the two others beside them.
   */
  decoderIds?: TokenIds;
  /** Queries, keys, values and log-sum-exp of each layer; false by default. */
  projections?: boolean;
  /**
   * Decoders: 'last' [B,1,V] of each sequence's last attended token (default), 'all' [B,S,V], S·V·4 bytes of each
   * sequence, or none.
   */
  logits?: 'last' | 'all' | false;
  /**
   * Decoders: the input continues what the cache holds. None by default.
   * @throws AttentionError SHAPE_MISMATCH for another batch size; CAPACITY_EXCEEDED; INVALID_ARGUMENT for another
   * model's cache; DISPOSED.
   */
  cache?: ModelCache;
  /** Called after each layer, counted from 0; an encoder's layers come before its decoder's. */
  onLayer?: (layer: number, layers: number) => void;
}

/** What attention was made of: any probability is exp(scale·q·k − logSumExp), at any length. */
export interface LayerProjections {
  /** [B,H,S,D], after rotary positions. */
  query: NdArray;
  /**
   * [B,Hkv,Skv,D], after rotary positions; all that a cache holds, as it keeps it, and zeros where it no longer does.
   */
  key: NdArray;
  /** [B,Hkv,Skv,D]. */
  value: NdArray;
  /** [B,H,S]. */
  logSumExp: NdArray;
  /** What multiplied q·k: 1/(sqrt(D)·attentionTemperature), divided by layer + 1 where GPT-2's config says so. */
  scale: number;
}

/**
 * What forward() returns. The batch axis B is present even for one sequence. Attention to padding is zero; rows that
 * belong to padding are undefined.
 */
export interface ForwardResult<A = AttentionTap> {
  /** [B,S,E], after the final norm where there is one. */
  lastHiddenState: NdArray;
  /** One per layer asked for, in that order: [B, heads asked, S, Skv]. */
  attentions: A extends false ? undefined : NdArray[];
  /**
   * Encoder-decoder models only, when `attention` is set: the encoder's self-attention, one
   * [B, requested heads, S, S] per requested layer, with S tokens of the input. Layers and heads that the encoder does
   * not have are left out.
   */
  encoderAttentions?: NdArray[];
  /**
   * Encoder-decoder models only, when `attention` is set: the decoder's attention to the encoder, one
   * [B, requested heads, S, S of the input] per requested layer.
   */
  crossAttentions?: NdArray[];
  /** L+1 of [B,S,E]: embeddings, then each layer's output, before any final norm. */
  hiddenStates?: NdArray[];
  /** One per layer, where `projections` asks; of an encoder-decoder the decoder's. */
  projections?: LayerProjections[];
  /** Decoders: of the next token, [B,1,V] or [B,S,V]. 'vit': [B,labels], where the file has a classifier. */
  logits?: NdArray;
  /** tanh of a linear layer over the first token, [B,E], where the file has a pooler. */
  pooled?: NdArray;
}

/** How embed() makes one vector of a sequence's last hidden states. */
export interface EmbedOptions extends ModelOptions {
  /**
   * 'mean' by default, over attended tokens (Reimers & Gurevych 2019, arXiv:1908.10084); 'cls': the first token;
   * 'last': the last attended token.
   */
  pooling?: 'mean' | 'cls' | 'last';
  /** Divides by the Euclidean length; a vector of zeros stays one. True by default. */
  normalize?: boolean;
}

/** How many tokens generate() makes, how each is picked, and what is told of them. */
export interface GenerateOptions<A extends AttentionTap = AttentionTap> extends ModelOptions {
  /** From 1 on; with prompt and cache at most the model's maxLength. */
  maxNewTokens: number;
  /**
   * Logits are divided by it before the softmax, of which a token is drawn. 0 by default: the most likely token, and
   * topK, topP and seed are refused. Below 0: INVALID_ARGUMENT.
   */
  temperature?: number;
  /**
   * Only so many tokens of the largest logits, equal ones by rising id; from 1 (Fan et al. 2018, arXiv:1805.04833). All
   * by default.
   */
  topK?: number;
  /**
   * Only the fewest most likely tokens whose share of probability, of the topK where given, reaches it: above 0, at
   * most 1, the default (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751).
   */
  topP?: number;
  /** A 32-bit integer: the same seed, the same tokens; 0 by default. */
  seed?: number;
  /** Ids that end the text; the config's eos_token_id by default; [] never stops. */
  stop?: Integers;
  /**
   * The prompt continues what it holds. It then holds every token that was read: all but the last new one, or all where
   * a stop id ended the text. Of decoders; by default one of its own, for this call only.
   */
  cache?: ModelCache;
  /** Which attention probabilities of each step onToken gets; false by default. */
  attention?: A;
  /**
   * Awaited after each token; false ends. It must not wait for another call of this model, or of the worker it is in: that
   * waits for this one. What it throws passes through.
   */
  onToken?: (token: {
    /** Of the vocabulary. */
    id: number;
    /** Among the new tokens, from 0. */
    index: number;
    /** Natural log, the model's own, whatever temperature, topK and topP say. */
    logProbability: number;
    /** One per layer asked for, [1, heads asked, rows of this step, Skv]; the first step's rows are the prompt's. */
    attentions: A extends false ? undefined : NdArray[];
  }) => unknown;
}

/** Of a cache for a model: KvCacheConfig without what the model says. capacity is its maxLength by default. */
export type CacheOptions = Omit<KvCacheConfig, 'numKvHeads' | 'headDim' | 'valueDim'>;

/**
 * A transformer with its weights in an engine's memory. Promises give way to the event loop between layers. Calls on
 * one model run one after another.
 * @throws AttentionError where promises reject: INVALID_ARGUMENT, SHAPE_MISMATCH, UNSUPPORTED_DTYPE, OUT_OF_MEMORY,
 * ABORTED, DISPOSED after dispose(), of the model or its engine.
 */
export interface Model extends Disposable {
  /** The family, as config.json's model_type. */
  readonly type: 'bert' | 'distilbert' | 'roberta' | 'gpt2' | 'llama' | 'vit' | 'marian';
  /** L, the number of layers. Of an encoder-decoder, these three are the decoder's. */
  readonly layers: number;
  /** H, query heads of each layer. */
  readonly heads: number;
  /** Hkv, key and value heads of each layer; a divisor of H. */
  readonly kvHeads: number;
  /** E, the size of a token's hidden state. */
  readonly embedSize: number;
  /** The most tokens a sequence may have, those of a cache included; of 'vit' those it has. */
  readonly maxLength: number;
  /** Bytes of WebAssembly memory that the weights take. */
  readonly byteLength: number;
  /**
   * One pass. Token ids; for 'vit' pixels [B,C,height,width], normalised as the model was trained, or one ImageData or
   * its data.
   * @throws AttentionError INVALID_ARGUMENT for more tokens than maxLength; CAPACITY_EXCEEDED for more than the cache
   * takes.
   */
  forward<A extends AttentionTap = false>(
    input: TokenIds | ImagePixels,
    options?: ForwardOptions<A>,
  ): Promise<ForwardResult<NoInfer<A>>>;
  /** One vector for each sequence, [B,E], pooled from the last hidden states; of an encoder-decoder by its encoder. */
  embed(input: TokenIds | ImagePixels, options?: EmbedOptions): Promise<NdArray>;
  /**
   * The new ids, without prompt and stop id: of decoders for one sequence; of an encoder-decoder for one source.
   * @throws AttentionError INVALID_ARGUMENT where prompt and maxNewTokens are more than maxLength, for families that do
   * not generate, and if config.json asks for what is not built, such as a no_repeat_ngram_size; SHAPE_MISMATCH for
   * several sequences; CAPACITY_EXCEEDED where they are more than the cache takes; all of these before any work.
   * INVALID_ARGUMENT also if the logits of a new token are NaN, or −Infinity for every id.
   */
  generate<A extends AttentionTap = false>(
    prompt: Integers | TensorLike,
    options: GenerateOptions<A>,
  ): Promise<Int32Array<ArrayBuffer>>;
  /**
   * Of decoders: keys and values of all layers, for forward() and generate() of this model.
   * @throws AttentionError INVALID_ARGUMENT for other families, and as kvCache(); OUT_OF_MEMORY; DISPOSED.
   */
  createCache(options?: CacheOptions): ModelCache;
  /** Gives the weights' memory back. May be called twice. */
  dispose(): void;
}

/**
 * Keys and values of all layers of a model, and which of their tokens attend.
 * @throws AttentionError DISPOSED after dispose(), of the cache or its engine.
 */
export interface ModelCache extends Disposable {
  /** Tokens seen, after the last finished call. */
  readonly length: number;
  /** Bytes of the pages of all layers, also of those shared with forks; after the last finished call. */
  readonly byteLength: number;
  /**
   * Forgets tokens from `length` on: speculative ones, or an answer that is to be made anew.
   * @throws AttentionError INVALID_ARGUMENT above the present length, where the window of the next token would reach
   * what was evicted (see the option rollback), and during a call that has this cache.
   */
  truncate(length: number): void;
  /**
   * Forgets every token and gives the pages back.
   * @throws AttentionError INVALID_ARGUMENT during a call that has this cache.
   */
  clear(): void;
  /**
   * A cache of the same contents, to be disposed by itself. Both share pages until one of them writes.
   * @throws AttentionError OUT_OF_MEMORY.
   */
  fork(): ModelCache;
  /** Gives its pages back, but for those that forks still share. May be called twice. */
  dispose(): void;
}
