import { abortError } from '../arguments.js';
import { AttentionError, inTermsOf } from '../errors.js';
import { nextTurn } from '../turns.js';
import type { Attention, KvCache, NdArray, Tensor, TensorLike } from '../types.js';
import { type Batch, checkLength } from './batch.js';
import { LayerCaches } from './cache.js';
import { decoderPositions, embedTokens, encoderPositions } from './embedding.js';
import { type LayerOptions, plainLayers } from './layer-options.js';
import type { Checkpoint, Linear, Stack, TokenEmbedding } from './parts.js';
import { embedPatches, type Patches } from './patches.js';
import { pool } from './pooling.js';
import { copyOf, type Memory, remember, runStack, type StackResult } from './stack.js';
import type { Tap } from './tap.js';
import type { CacheOptions, Model } from './types.js';

/** What comes in: tokens or, of images, patches, all of which attend. */
export interface Input {
  readonly batch: Batch;
  readonly patches?: Patches;
}

/** What a pass through one stack is asked for. */
export interface Asked {
  readonly signal: AbortSignal | undefined;
  readonly layerOptions: LayerOptions;
  readonly tap?: Tap | undefined;
  readonly hiddenStates?: boolean;
  readonly projections?: boolean;
  readonly onLayer?: (() => void) | undefined;
}

/** What a decoder reads beside its tokens. */
export interface Beside {
  readonly cache?: LayerCaches | undefined;
  readonly memory?: Memory;
}

export interface Passed {
  /** The stack's output [B,S,E]. */
  readonly last: NdArray;
  readonly result: StackResult;
}

/** Runs a checkpoint: embeddings → blocks → heads. Its inputs were checked. */
export class Runner {
  readonly checkpoint: Checkpoint;
  readonly #attention: Attention;
  readonly #isDisposed: () => boolean;

  constructor(attention: Attention, checkpoint: Checkpoint, isDisposed: () => boolean) {
    this.checkpoint = checkpoint;
    this.#attention = attention;
    this.#isDisposed = isDisposed;
  }

  get maxLength(): number {
    const { tokens, patches } = this.checkpoint;
    return tokens?.maxLength ?? (patches?.positions.shape[1] as number);
  }

  /** An input through one stack, the decoder of two. */
  async pass(input: Input, asked: Asked, beside: Beside = {}, stack = this.checkpoint.stack): Promise<Passed> {
    const { hidden, result } = await this.#run(input, asked, beside, stack);
    const last = copyOf(hidden);
    hidden.dispose();
    return { last, result };
  }

  /** An encoder's output, as what each layer of its decoder reads. */
  async encode(
    input: Input,
    encoder: Stack,
    asked: Omit<Asked, 'layerOptions'>,
  ): Promise<{ memory: Memory; result: StackResult }> {
    const { hidden, result } = await this.#run(input, { ...asked, layerOptions: plainLayers(encoder) }, {}, encoder);
    try {
      return { memory: await remember(this.#attention, this.checkpoint.stack, hidden, maskOf(input.batch)), result };
    } finally {
      hidden.dispose();
    }
  }

  /** Of the next token, [B,1,V] or [B,S,V]; of an image's labels, [B,labels]. */
  async logits(last: NdArray, { batch, mask }: Batch, which: 'last' | 'all' | false): Promise<NdArray | undefined> {
    const { head, patches } = this.checkpoint;
    if (!head || which === false) return undefined;
    if (patches) return this.#linear(pool(last, 'cls'), head);
    if (which === 'all') return this.#linear(last, head);
    const { data } = await this.#linear(pool(last, 'last', mask), head);
    const shape = [batch, 1, data.length / batch];
    return { data, shape, dims: shape };
  }

  async pooled(last: NdArray): Promise<NdArray | undefined> {
    const { pooler } = this.checkpoint;
    return pooler && this.#attention.tanh(await this.#linear(pool(last, 'cls'), pooler));
  }

  caches(model: Model, { batch = 1, ...options }: CacheOptions): LayerCaches {
    const { kvHeads, headDim, blocks } = this.checkpoint.stack;
    const layers: KvCache[] = [];
    try {
      for (const _ of blocks) {
        layers.push(this.#attention.kvCache({ ...options, batch, numKvHeads: kvHeads, headDim }));
      }
    } catch (error) {
      for (const layer of layers) layer.dispose();
      throw inTermsOf(error, 'config', 'options');
    }
    return new LayerCaches(
      model,
      batch,
      options.window === undefined ? (options.capacity as number) : Infinity,
      layers,
    );
  }

  async #run(
    { batch, patches }: Input,
    asked: Asked,
    { cache, memory }: Beside,
    stack: Stack,
  ): Promise<{ hidden: Tensor<'float32'>; result: StackResult }> {
    if (this.#isDisposed()) throw disposed();
    cache?.check(batch);
    checkLength('input', (cache?.length ?? 0) + batch.length, this.maxLength);
    const mask = cache ? cache.maskWith(batch) : maskOf(batch);
    const positions = this.#positions(batch, stack, cache);
    const hidden = await this.#embed({ batch, ...(patches && { patches }) }, stack, positions);
    const before = async () => {
      await nextTurn();
      if (asked.signal?.aborted) throw abortError(asked.signal);
      if (this.#isDisposed()) throw disposed();
    };
    try {
      const call = { ...asked, batch: batch.batch, length: batch.length, mask, positions, memory, before };
      const result = await runStack(this.#attention, stack, hidden, { ...call, caches: cache?.layers });
      cache?.keep(mask);
      return { hidden, result };
    } catch (error) {
      hidden.dispose();
      throw error;
    }
  }

  #positions(batch: Batch, { causal }: Stack, cache: LayerCaches | undefined): Int32Array {
    if (causal) return decoderPositions(batch, (entry) => cache?.count(entry) ?? 0);
    return encoderPositions(batch, this.checkpoint.tokens?.paddingId);
  }

  async #embed({ batch, patches }: Input, { embedSize }: Stack, positions: Int32Array): Promise<Tensor<'float32'>> {
    const { tokens, patches: embedding } = this.checkpoint;
    if (patches && embedding) return embedPatches(this.#attention, patches, embedding);
    return embedTokens(this.#attention, tokens as TokenEmbedding, embedSize, batch, positions);
  }

  /** Awaited, as what is long in a stack. */
  async #linear(x: TensorLike, { weight, bias }: Linear): Promise<NdArray> {
    return this.#attention.linear(x, weight, bias);
  }
}

export function disposed(): AttentionError {
  return new AttentionError('DISPOSED', undefined, 'this model was disposed');
}

/** Nothing where every token attends. */
function maskOf({ mask }: Batch): Int32Array | undefined {
  return mask.includes(0) ? mask : undefined;
}
