import { abortError, abortSignal, checkKeys, oneOf } from '../arguments.js';
import { AttentionError, describe, invalid, refused } from '../errors.js';
import { makeDisposable } from '../tensor.js';
import type { Attention, Integers, KvCache, NdArray, Tensor, TensorLike } from '../types.js';
import { type Batch, checkLength, readBatch, sequence } from './batch.js';
import { cacheOf, LayerCaches } from './cache.js';
import { decoderPositions, embedTokens, encoderPositions } from './embedding.js';
import { checkRoom, type Generation, generate, generateKeys, readGeneration } from './generate.js';
import { type LayerOptions, layerKeys, readLayerOptions } from './layer-options.js';
import type { Checkpoint, Linear, Stack, TokenEmbedding } from './parts.js';
import { embedPatches, type Patches, readPatches } from './patches.js';
import { normalized, pool } from './pooling.js';
import { copyOf, type Memory, remember, runStack, type StackCall, type StackResult } from './stack.js';
import { readTap, type Tap } from './tap.js';
import { nextTurn } from './turns.js';
import type {
  AttentionTap,
  CacheOptions,
  EmbedOptions,
  ForwardOptions,
  ForwardResult,
  GenerateOptions,
  Model,
  ModelCache,
  ModelOptions,
  TokenIds,
} from './types.js';
import type { Weights } from './weights.js';

const inputKeys = ['attentionMask', 'tokenTypeIds', 'signal', ...layerKeys];
const forwardKeys = [
  ...inputKeys,
  ...['attention', 'hiddenStates', 'onLayer', 'projections', 'decoderIds', 'logits', 'cache'],
];

/** What comes in: tokens or, of images, patches, which all attend. */
type Input = { batch: Batch; patches?: undefined } | { batch: Batch; patches: Patches };

/** What a pass through one stack is asked for. */
interface Asked {
  readonly signal: AbortSignal | undefined;
  readonly layerOptions: LayerOptions;
  readonly tap?: Tap | undefined;
  readonly hiddenStates?: boolean | undefined;
  readonly projections?: boolean | undefined;
  readonly onLayer?: ((layer: number) => void) | undefined;
}

interface Passed {
  readonly last: NdArray;
  readonly result: StackResult;
}

/** Any checkpoint, run layer by layer: embeddings → blocks → heads. */
class TransformerModel {
  readonly #attention: Attention;
  readonly #checkpoint: Checkpoint;
  readonly #weights: Weights;
  #disposed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(attention: Attention, checkpoint: Checkpoint, weights: Weights) {
    this.#attention = attention;
    this.#checkpoint = checkpoint;
    this.#weights = weights;
  }

  get type(): Model['type'] {
    return this.#checkpoint.type;
  }
  get layers(): number {
    return this.#checkpoint.stack.blocks.length;
  }
  get heads(): number {
    return this.#checkpoint.stack.heads;
  }
  get kvHeads(): number {
    return this.#checkpoint.stack.kvHeads;
  }
  get embedSize(): number {
    return this.#checkpoint.stack.embedSize;
  }
  get maxLength(): number {
    const { tokens, patches } = this.#checkpoint;
    return tokens?.maxLength ?? (patches?.positions.shape[1] as number);
  }
  get byteLength(): number {
    return this.#weights.byteLength;
  }

  async forward(input: TokenIds, given?: ForwardOptions): Promise<ForwardResult> {
    const options = checkKeys('options', given, forwardKeys);
    this.#refuseForeign(options);
    if (options.onLayer !== undefined && typeof options.onLayer !== 'function') {
      throw invalid('options.onLayer', options.onLayer, 'a function');
    }
    const hiddenStates = oneOf('options.hiddenStates', options.hiddenStates ?? false, [false, true]);
    const projections = oneOf('options.projections', options.projections ?? false, [false, true]);
    const logits = oneOf('options.logits', options.logits ?? 'last', ['last', 'all', false] as const);
    const cache = options.cache === undefined ? undefined : cacheOf(this as unknown as Model, options.cache);
    if (cache && projections) throw refused('options.projections', 'it beside a cache', 'one or the other');
    const { encoder, stack } = this.#checkpoint;
    const tap = readTap(options.attention, this.layers, this.heads);
    const encoderTap = encoder && readTap(within(options.attention, encoder), encoder.blocks.length, encoder.heads);
    const source = this.#read('input', input, options);
    const target = encoder && readBatch('options.decoderIds', options.decoderIds as TokenIds, this.#tokens);
    if (target && target.batch !== source.batch.batch) throw otherBatch(target, source.batch);

    let done = 0;
    const total = stack.blocks.length + (encoder?.blocks.length ?? 0);
    const onLayer = options.onLayer && (() => options.onLayer?.(done++, total));
    const asked = { ...this.#asked(options), tap, hiddenStates, projections, onLayer };
    return this.#enqueue(async () => {
      if (!encoder || !target) {
        const pass = () => this.#pass(source, asked, cache);
        const passed = await (cache ? cache.whole(pass) : pass());
        return this.#result(passed, source.batch, asked, logits);
      }
      const encoded = await this.#encode(source, encoder, { signal: asked.signal, tap: encoderTap, onLayer });
      try {
        const passed = await this.#pass({ batch: target }, asked, undefined, encoded.memory);
        const { attentions } = encoded.result;
        return {
          ...this.#result(passed, target, asked, logits),
          ...(encoderTap && { encoderAttentions: inOrder(encoderTap, attentions) }),
          ...(tap && { crossAttentions: inOrder(tap, passed.result.crossAttentions) }),
        } as ForwardResult;
      } finally {
        encoded.memory[Symbol.dispose]();
      }
    });
  }

  async embed(input: TokenIds, given?: EmbedOptions): Promise<NdArray> {
    const options = checkKeys('options', given, [...inputKeys, 'pooling', 'normalize']);
    this.#refuseForeign(options);
    const pooling = oneOf('options.pooling', options.pooling ?? 'mean', ['mean', 'cls', 'last'] as const);
    const normalize = oneOf('options.normalize', options.normalize ?? true, [false, true]);
    const source = this.#read('input', input, options);
    const { encoder } = this.#checkpoint;
    const asked = this.#asked(options, encoder);
    const { last } = await this.#enqueue(() => this.#pass(source, asked, undefined, undefined, encoder));
    const rows = pool(last, pooling, source.batch.mask);
    return normalize ? normalized(rows) : rows;
  }

  async generate(prompt: Integers | TensorLike, given: GenerateOptions): Promise<Int32Array<ArrayBuffer>> {
    const options = checkKeys('options', given, [...inputKeys, ...generateKeys]);
    const { encoder, stop } = this.#checkpoint;
    if (!this.#isDecoder && !encoder)
      throw new AttentionError('INVALID_ARGUMENT', undefined, `${this.type} models do not generate`);
    this.#refuseForeign(options);
    const tap = readTap(options.attention, this.layers, this.heads);
    const generation = readGeneration(this.#attention, options, stop, tap);
    const { batch } = this.#read('prompt', prompt as TokenIds, options);
    if (batch.batch !== 1) {
      throw new AttentionError('SHAPE_MISMATCH', 'prompt', `got ${batch.batch} sequences, wanted one`);
    }
    const cache = options.cache === undefined ? undefined : cacheOf(this as unknown as Model, options.cache);
    const asked = { ...this.#asked(options), tap };
    return this.#enqueue(() =>
      encoder ? this.#translate(batch, encoder, asked, generation) : this.#continue(batch, asked, generation, cache),
    );
  }

  createCache(given?: CacheOptions): ModelCache {
    if (this.#disposed) throw disposed();
    if (!this.#isDecoder) throw new AttentionError('INVALID_ARGUMENT', undefined, `${this.type} models take no cache`);
    const options = checkKeys('options', given, ['batch', 'capacity', 'dtype', 'window', 'sinkTokens']);
    return this.#caches(options);
  }

  dispose(): void {
    this.#disposed = true;
    this.#weights.dispose();
  }

  get #tokens(): TokenEmbedding {
    return this.#checkpoint.tokens as TokenEmbedding;
  }
  get #isDecoder(): boolean {
    return this.#checkpoint.stack.causal && !this.#checkpoint.encoder;
  }

  /** Options of other families. */
  #refuseForeign(options: ForwardOptions): void {
    const { encoder, patches } = this.#checkpoint;
    const refuse = (name: keyof ForwardOptions, why: string) => {
      if (options[name] !== undefined) throw refused(`options.${name}`, describe(options[name]), `none: ${why}`);
    };
    if (!this.#isDecoder) refuse('cache', `${this.type} models take no cache`);
    if (!encoder) refuse('decoderIds', `${this.type} models have one sequence`);
    if (!this.#isDecoder && !encoder) refuse('logits', `${this.type} models predict no next token`);
    if (patches) for (const name of ['attentionMask', 'tokenTypeIds'] as const) refuse(name, 'images have no tokens');
  }

  #read(argument: string, input: TokenIds, options: ModelOptions): Input {
    if (this.#disposed) throw disposed();
    abortSignal(options.signal);
    const { patches: embedding } = this.#checkpoint;
    if (!embedding) return { batch: readBatch(argument, input, this.#tokens, options) };
    const patches = readPatches(this.#attention, input as TensorLike, embedding);
    const { batch, count } = patches;
    const ids = new Int32Array(batch * (count + 1));
    return { batch: { batch, length: count + 1, ids, mask: ids.map(() => 1), types: undefined }, patches };
  }

  #asked(options: ModelOptions, stack: Stack = this.#checkpoint.stack): Asked {
    return {
      signal: options.signal,
      layerOptions: readLayerOptions(options, stack.blocks.length, stack.heads),
    };
  }

  /** An input through one stack, the decoder by default. */
  async #pass(
    { batch, patches }: Input,
    asked: Asked,
    cache?: LayerCaches,
    memory?: Memory,
    stack: Stack = this.#checkpoint.stack,
  ): Promise<Passed> {
    const hidden = await this.#run({ batch, patches } as Input, asked, cache, memory, stack);
    try {
      return { last: copyOf(hidden.tensor), result: hidden.result };
    } finally {
      hidden.tensor.dispose();
    }
  }

  async #run(
    { batch, patches }: Input,
    asked: Asked,
    cache: LayerCaches | undefined,
    memory: Memory | undefined,
    stack: Stack,
  ): Promise<{ tensor: Tensor<'float32'>; result: StackResult }> {
    if (this.#disposed) throw disposed();
    cache?.check(batch);
    checkLength('input', (cache?.length ?? 0) + batch.length, this.maxLength);
    const mask = cache ? cache.maskWith(batch) : batch.mask.includes(0) ? batch.mask : undefined;
    const positions = stack.causal
      ? decoderPositions(batch, (entry) => cache?.count(entry) ?? 0)
      : encoderPositions(this.#tokens ?? {}, batch);
    const tensor = patches
      ? embedPatches(this.#attention, patches, this.#checkpoint.patches as NonNullable<Checkpoint['patches']>)
      : embedTokens(this.#attention, this.#tokens, stack.embedSize, batch, positions);
    const call: StackCall = {
      ...asked,
      batch: batch.batch,
      length: batch.length,
      mask,
      positions,
      caches: cache?.layers,
      memory,
      before: async () => {
        await nextTurn();
        if (asked.signal?.aborted) throw abortError(asked.signal);
        if (this.#disposed) throw disposed();
      },
      after: (layer) => asked.onLayer?.(layer),
    };
    try {
      const result = await runStack(this.#attention, stack, tensor, call);
      cache?.keep(mask);
      return { tensor, result };
    } catch (error) {
      tensor.dispose();
      throw error;
    }
  }

  /** An encoder's output as what the decoder's layers read. */
  async #encode(
    source: Input,
    encoder: Stack,
    asked: Omit<Asked, 'layerOptions'>,
  ): Promise<{ memory: Memory; result: StackResult }> {
    const plain = readLayerOptions({}, encoder.blocks.length, encoder.heads);
    const { tensor, result } = await this.#run(
      source,
      { ...asked, layerOptions: plain },
      undefined,
      undefined,
      encoder,
    );
    const { mask } = source.batch;
    try {
      return {
        memory: remember(this.#attention, this.#checkpoint.stack, tensor, mask.includes(0) ? mask : undefined),
        result,
      };
    } finally {
      tensor.dispose();
    }
  }

  #result(
    { last, result }: Passed,
    batch: Batch,
    { tap, hiddenStates, projections }: Asked,
    logits: 'last' | 'all' | false,
  ): ForwardResult {
    const { pooler } = this.#checkpoint;
    const scores = this.#logits(last, batch, logits);
    return {
      lastHiddenState: last,
      attentions: tap && inOrder(tap, result.attentions),
      ...(hiddenStates && { hiddenStates: result.hiddenStates }),
      ...(projections && { projections: result.projections }),
      ...(scores && { logits: scores }),
      ...(pooler && { pooled: this.#attention.tanh(this.#linear(pool(last, 'cls'), pooler)) }),
    } as ForwardResult;
  }

  #linear(x: TensorLike, { weight, bias }: Linear): NdArray {
    return this.#attention.linear(x, weight, bias);
  }

  #logits(last: NdArray, batch: Batch, which: 'last' | 'all' | false): NdArray | undefined {
    const { head, patches } = this.#checkpoint;
    if (!head || which === false) return undefined;
    if (patches) return this.#linear(pool(last, 'cls'), head);
    if (which === 'all') return this.#linear(last, head);
    const { data } = this.#linear(pool(last, 'last', batch.mask), head);
    const shape = [batch.batch, 1, data.length / batch.batch];
    return { data, shape, dims: shape };
  }

  #caches({ batch = 1, ...options }: CacheOptions): LayerCaches {
    const { kvHeads, headDim, blocks } = this.#checkpoint.stack;
    const capacity = options.window === undefined ? { capacity: options.capacity ?? this.maxLength } : {};
    const layers: KvCache[] = [];
    try {
      for (const _ of blocks) {
        layers.push(this.#attention.kvCache({ ...options, ...capacity, batch, numKvHeads: kvHeads, headDim }));
      }
    } catch (error) {
      for (const layer of layers) layer.dispose();
      throw error;
    }
    const limit = options.window === undefined ? (capacity.capacity as number) : Infinity;
    return new LayerCaches(this as unknown as Model, batch, limit, layers);
  }

  async #continue(
    prompt: Batch,
    asked: Asked,
    generation: Generation,
    given: LayerCaches | undefined,
  ): Promise<Int32Array<ArrayBuffer>> {
    const used = (given?.length ?? 0) + prompt.length;
    checkRoom(used, generation, this.maxLength, given?.limit ?? this.maxLength);
    const cache = given ?? this.#caches({});
    try {
      const work = () => generate(this.#attention, prompt, this.#step(asked, cache), generation);
      return await (given ? given.whole(work) : work());
    } finally {
      if (!given) cache.dispose();
    }
  }

  async #translate(
    source: Batch,
    encoder: Stack,
    asked: Asked,
    generation: Generation,
  ): Promise<Int32Array<ArrayBuffer>> {
    checkRoom(1, generation, this.maxLength, this.maxLength);
    const { memory } = await this.#encode({ batch: source }, encoder, { signal: asked.signal });
    const cache = this.#caches({});
    try {
      const start = sequence(Int32Array.of(this.#checkpoint.start as number));
      return await generate(this.#attention, start, this.#step(asked, cache, memory), generation);
    } finally {
      cache.dispose();
      memory[Symbol.dispose]();
    }
  }

  #step(asked: Asked, cache: LayerCaches, memory?: Memory) {
    const { never } = this.#checkpoint;
    return async (batch: Batch) => {
      const { last, result } = await this.#pass({ batch }, asked, cache, memory);
      const { data: logits } = this.#logits(last, batch, 'last') as NdArray;
      if (never !== undefined) logits[never] = -Infinity;
      return { logits, attentions: asked.tap && inOrder(asked.tap, result.attentions) };
    };
  }

  /** One after the other, although each gives way between layers: memory stays that of one call. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

makeDisposable(TransformerModel);

export function modelOf(attention: Attention, checkpoint: Checkpoint, weights: Weights): Model {
  return new TransformerModel(attention, checkpoint, weights) as unknown as Model;
}

function inOrder(tap: Tap, taken: Map<number, NdArray>): NdArray[] {
  return tap.layers.map((layer) => taken.get(layer) as NdArray);
}

/** Of layers asked for, those that an encoder has too. */
function within(asked: AttentionTap | undefined, { blocks }: Stack): AttentionTap | undefined {
  if (typeof asked !== 'object' || !Array.isArray(asked?.layers)) return asked;
  return { ...asked, layers: asked.layers.filter((layer: number) => !(layer >= blocks.length)) };
}

function otherBatch(target: Batch, source: Batch): AttentionError {
  const message = `got ${target.batch} sequences, wanted the input's ${source.batch}`;
  return new AttentionError('SHAPE_MISMATCH', 'options.decoderIds', message);
}

function disposed(): AttentionError {
  return new AttentionError('DISPOSED', undefined, 'this model was disposed');
}
