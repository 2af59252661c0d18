import { abortSignal, checkKeys, oneOf } from '../arguments.js';
import { bindMethods } from '../bound.js';
import { AttentionError, describe, invalid, refused } from '../errors.js';
import { makeDisposable } from '../tensor.js';
import type { Attention, Integers, NdArray, TensorLike } from '../types.js';
import { type Batch, readBatch, sequence, sequences } from './batch.js';
import { cacheOf, checkCacheOptions, type LayerCaches } from './cache.js';
import { checkRoom, type Generation, generate, generateKeys, readGeneration } from './generate.js';
import { hasDenseMask, layerKeys, readLayerOptions } from './layer-options.js';
import type { Checkpoint, Stack, TokenEmbedding } from './parts.js';
import { readPatches } from './patches.js';
import { normalized, pool } from './pooling.js';
import { type Asked, type Beside, disposed, type Input, type Passed, Runner } from './runner.js';
import { readTap, type Tap } from './tap.js';
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
const passKeys = ['attention', 'hiddenStates', 'onLayer', 'projections', 'decoderIds', 'logits', 'cache'];

type Logits = 'last' | 'all' | false;

/** The public functions of a model: arguments are read at once, and calls run one after the other. */
class TransformerModel {
  readonly #attention: Attention;
  readonly #weights: Weights;
  readonly #runner: Runner;
  #disposed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(attention: Attention, checkpoint: Checkpoint, weights: Weights) {
    this.#attention = attention;
    this.#weights = weights;
    this.#runner = new Runner(attention, checkpoint, () => this.#disposed);
    bindMethods(this);
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
    return this.#runner.maxLength;
  }
  get byteLength(): number {
    return this.#weights.byteLength;
  }

  async forward(input: TokenIds, given?: ForwardOptions): Promise<ForwardResult> {
    const options = checkKeys('options', given, [...inputKeys, ...passKeys]);
    this.#refuseForeign(options);
    const { encoder } = this.#checkpoint;
    const logits = oneOf('options.logits', options.logits ?? 'last', ['last', 'all', false] as const);
    const cache = this.#cache(options.cache);
    const asked = this.#askedOfPass(options);
    const source = this.#read('input', input, options);
    if (encoder) {
      const target = readBatch('options.decoderIds', options.decoderIds as TokenIds, this.#tokens);
      const tap = readTap(within(options.attention, encoder), encoder.blocks.length, encoder.heads);
      return this.#enqueue(() => this.#forwardBoth(source, encoder, tap, target, asked, logits));
    }
    return this.#enqueue(async () => {
      const pass = (next?: LayerCaches) => this.#runner.pass(source, asked, { cache: next });
      return this.#result(await (cache ? cache.whole(pass) : pass()), source.batch, asked, logits);
    });
  }

  async embed(input: TokenIds, given?: EmbedOptions): Promise<NdArray> {
    const options = checkKeys('options', given, [...inputKeys, 'pooling', 'normalize']);
    this.#refuseForeign(options);
    const pooling = oneOf('options.pooling', options.pooling ?? 'mean', ['mean', 'cls', 'last'] as const);
    const normalize = oneOf('options.normalize', options.normalize ?? true, [false, true]);
    const source = this.#read('input', input, options);
    const stack = this.#checkpoint.encoder ?? this.#checkpoint.stack;
    const asked = this.#asked(options, stack);
    const { last } = await this.#enqueue(() => this.#runner.pass(source, asked, {}, stack));
    const rows = pool(last, pooling, source.batch.mask);
    return normalize ? normalized(rows) : rows;
  }

  async generate(prompt: Integers | TensorLike, given: GenerateOptions): Promise<Int32Array<ArrayBuffer>> {
    const options = checkKeys('options', given, [...inputKeys, ...generateKeys]);
    const { encoder } = this.#checkpoint;
    if (!this.#isDecoder && !encoder) {
      throw new AttentionError('INVALID_ARGUMENT', undefined, `${this.type} models do not generate`);
    }
    this.#refuseForeign(options);
    const tap = readTap(options.attention, this.layers, this.heads);
    const source = this.#read('prompt', prompt as TokenIds, options);
    if (source.batch.batch !== 1) {
      throw new AttentionError('SHAPE_MISMATCH', 'prompt', `got ${source.batch.batch} sequences, wanted one`);
    }
    const cache = this.#cache(options.cache);
    const asked = { ...this.#asked(options), tap };
    const isWhole = tap !== undefined || hasDenseMask(asked.layerOptions);
    const generation = readGeneration(this.#attention, options, this.#checkpoint, isWhole);
    return this.#enqueue(() =>
      encoder
        ? this.#translate(source, encoder, asked, generation)
        : this.#continue(source.batch, asked, generation, cache),
    );
  }

  createCache(given?: CacheOptions): ModelCache {
    if (this.#disposed) throw disposed();
    return this.#runner.caches(this.#self, checkCacheOptions(this.#self, given));
  }

  dispose(): void {
    this.#disposed = true;
    this.#weights.dispose();
  }

  get #checkpoint(): Checkpoint {
    return this.#runner.checkpoint;
  }
  get #tokens(): TokenEmbedding {
    return this.#checkpoint.tokens as TokenEmbedding;
  }
  get #isDecoder(): boolean {
    return this.#checkpoint.stack.causal && !this.#checkpoint.encoder;
  }
  get #self(): Model {
    return this as unknown as Model;
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

  #cache(given: ModelCache | undefined): LayerCaches | undefined {
    return given === undefined ? undefined : cacheOf(this.#self, given);
  }

  #read(argument: string, input: TokenIds, options: ModelOptions): Input {
    if (this.#disposed) throw disposed();
    const { patches: embedding } = this.#checkpoint;
    if (!embedding) return { batch: readBatch(argument, input, this.#tokens, options) };
    const patches = readPatches(this.#attention, input, embedding);
    return { batch: sequences(patches.batch, patches.count + 1), patches };
  }

  #asked(options: ModelOptions, stack: Stack = this.#checkpoint.stack): Asked {
    const { length } = stack.blocks;
    return { signal: abortSignal(options.signal), layerOptions: readLayerOptions(options, length, stack.heads) };
  }

  #askedOfPass(options: ForwardOptions): Asked {
    const { onLayer } = options;
    if (onLayer !== undefined && typeof onLayer !== 'function') throw invalid('options.onLayer', onLayer, 'a function');
    let done = 0;
    const total = this.layers + (this.#checkpoint.encoder?.blocks.length ?? 0);
    return {
      ...this.#asked(options),
      tap: readTap(options.attention, this.layers, this.heads),
      hiddenStates: oneOf('options.hiddenStates', options.hiddenStates ?? false, [false, true]),
      projections: oneOf('options.projections', options.projections ?? false, [false, true]),
      onLayer: onLayer && (() => onLayer(done++, total)),
    };
  }

  async #forwardBoth(
    source: Input,
    encoder: Stack,
    encoderTap: Tap | undefined,
    target: Batch,
    asked: Asked,
    logits: Logits,
  ): Promise<ForwardResult> {
    const { signal, tap, onLayer } = asked;
    if (target.batch !== source.batch.batch) throw otherBatch(target, source.batch);
    const { memory, result } = await this.#runner.encode(source, encoder, { signal, tap: encoderTap, onLayer });
    try {
      const passed = await this.#runner.pass({ batch: target }, asked, { memory });
      return {
        ...(await this.#result(passed, target, asked, logits)),
        ...(encoderTap && { encoderAttentions: inOrder(encoderTap, result.attentions) }),
        ...(tap && { crossAttentions: inOrder(tap, passed.result.crossAttentions) }),
      };
    } finally {
      memory.dispose();
    }
  }

  async #result({ last, result }: Passed, batch: Batch, asked: Asked, which: Logits): Promise<ForwardResult> {
    const logits = await this.#runner.logits(last, batch, which);
    const pooled = await this.#runner.pooled(last);
    return {
      lastHiddenState: last,
      attentions: asked.tap && inOrder(asked.tap, result.attentions),
      ...(asked.hiddenStates && { hiddenStates: result.hiddenStates }),
      ...(asked.projections && { projections: result.projections }),
      ...(logits && { logits }),
      ...(pooled && { pooled }),
    } as ForwardResult;
  }

  async #continue(
    prompt: Batch,
    asked: Asked,
    generation: Generation,
    given: LayerCaches | undefined,
  ): Promise<Int32Array<ArrayBuffer>> {
    const used = (given?.length ?? 0) + prompt.length;
    checkRoom(used, generation, this.maxLength, given?.limit ?? this.maxLength);
    const cache = given ?? this.#runner.caches(this.#self, { capacity: this.maxLength });
    try {
      return await cache.whole((next) =>
        generate(this.#attention, prompt, this.#step(asked, { cache: next }), generation),
      );
    } finally {
      if (!given) cache.dispose();
    }
  }

  async #translate(
    source: Input,
    encoder: Stack,
    asked: Asked,
    generation: Generation,
  ): Promise<Int32Array<ArrayBuffer>> {
    checkRoom(1, generation, this.maxLength, this.maxLength);
    const { memory } = await this.#runner.encode(source, encoder, { signal: asked.signal });
    const cache = this.#runner.caches(this.#self, { capacity: this.maxLength });
    try {
      const start = sequence(Int32Array.of(this.#checkpoint.start as number));
      return await generate(this.#attention, start, this.#step(asked, { cache, memory }), generation);
    } finally {
      cache.dispose();
      memory.dispose();
    }
  }

  #step(asked: Asked, beside: Beside) {
    return async (batch: Batch) => {
      const { last, result } = await this.#runner.pass({ batch }, asked, beside);
      const { data: logits } = (await this.#runner.logits(last, batch, 'last')) as NdArray;
      return { logits, attentions: asked.tap && inOrder(asked.tap, result.attentions) };
    };
  }

  /** Although each call gives way between layers: memory stays that of one. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // Without its result: nobody else may hold that any more.
    this.#last = result.then(
      () => {},
      () => {},
    );
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

/** Of layers and heads asked for, which the decoder has, those that its encoder has too. */
function within(asked: AttentionTap | undefined, { blocks, heads }: Stack): AttentionTap | undefined {
  if (typeof asked !== 'object') return asked;
  const fits = (count: number) => (index: number) => !(index >= count);
  const { layers, heads: own } = asked as Exclude<AttentionTap, boolean>;
  return {
    ...(layers && { layers: layers.filter(fits(blocks.length)) }),
    ...(own && { heads: own.filter(fits(heads)) }),
  };
}

function otherBatch(target: Batch, source: Batch): AttentionError {
  const message = `got ${target.batch} sequences, wanted the input's ${source.batch}`;
  return new AttentionError('SHAPE_MISMATCH', 'options.decoderIds', message);
}
