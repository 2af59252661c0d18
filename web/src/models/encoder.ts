import { checkKeys, integer, oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { makeDisposable } from '../tensor.js';
import type { Attention, FeedForwardWeights, NdArray, ProjectionWeights, Tensor } from '../types.js';
import type { Checkpoint } from './checkpoints.js';
import { normalized, pool } from './pooling.js';
import { besideTokens, checkRows, type TokenTable, tokenTable } from './tokens.js';
import { abortError, nextTurn } from './turns.js';
import type { AttentionTap, EmbedOptions, ForwardOptions, ForwardResult, Model, TokenIds } from './types.js';
import type { Weights } from './weights.js';

interface Affine {
  weight: Tensor<'float32'>;
  bias: Tensor<'float32'>;
}

interface Layer {
  attention: ProjectionWeights;
  attentionNorm: Affine;
  feedForward: FeedForwardWeights;
  outputNorm: Affine;
}

const inputKeys = ['attentionMask', 'tokenTypeIds', 'signal'];
const laterKeys = ['mask', 'ablateHeads', 'attentionTemperature'];
const laterForwardKeys = [...laterKeys, 'decoderIds', 'projections', 'logits', 'cache'];

/** A BERT-family encoder (Devlin et al. 2018): embeddings, then layers of self-attention and feed-forward, each added to its input and normalised after. */
class Encoder {
  readonly #attention: Attention;
  readonly #checkpoint: Checkpoint;
  readonly #weights: Weights;
  readonly #words: Tensor;
  readonly #positions: Tensor;
  readonly #types: Tensor | undefined;
  readonly #embeddingNorm: Affine;
  readonly #layers: Layer[];
  readonly #pooler: Affine | undefined;
  #disposed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(attention: Attention, checkpoint: Checkpoint, weights: Weights) {
    const { embedSize, vocabulary, positions, tokenTypes, layers } = checkpoint;
    this.#attention = attention;
    this.#checkpoint = checkpoint;
    this.#weights = weights;
    this.#words = weights.table('embeddings.word_embeddings.weight', [vocabulary, embedSize]);
    this.#positions = weights.table('embeddings.position_embeddings.weight', [positions, embedSize]);
    this.#types = tokenTypes
      ? weights.table('embeddings.token_type_embeddings.weight', [tokenTypes, embedSize])
      : undefined;
    this.#embeddingNorm = this.#norm('embeddings.LayerNorm');
    this.#layers = Array.from({ length: layers }, (_, index) => this.#layer(index));
    this.#pooler = weights.has('pooler.dense.weight')
      ? {
          weight: weights.float32('pooler.dense.weight', [embedSize, embedSize]),
          bias: weights.float32('pooler.dense.bias', [embedSize]),
        }
      : undefined;
  }

  get type(): Model['type'] {
    return this.#checkpoint.type;
  }
  get layers(): number {
    return this.#checkpoint.layers;
  }
  get heads(): number {
    return this.#checkpoint.heads;
  }
  get kvHeads(): number {
    return this.#checkpoint.heads;
  }
  get embedSize(): number {
    return this.#checkpoint.embedSize;
  }
  get maxLength(): number {
    return this.#checkpoint.positions - this.#checkpoint.firstPosition;
  }
  get byteLength(): number {
    return this.#weights.byteLength;
  }

  async forward(input: TokenIds, options?: ForwardOptions): Promise<ForwardResult> {
    const known = [...inputKeys, 'attention', 'hiddenStates', 'onLayer'];
    const given = checkKeys('options', options, known, laterForwardKeys);
    if (given.onLayer !== undefined && typeof given.onLayer !== 'function') {
      throw invalid('options.onLayer', given.onLayer, 'a function');
    }
    const hiddenStates = oneOf('options.hiddenStates', given.hiddenStates ?? false, [false, true]);
    const tap = this.#tap(given.attention);
    const tokens = this.#tokens(input);
    const mask = this.#mask(tokens, given);
    const types = this.#tokenTypes(tokens, given);
    return this.#enqueue(() => this.#run(tokens, mask, types, tap, { ...given, hiddenStates }));
  }

  async embed(input: TokenIds, options?: EmbedOptions): Promise<NdArray> {
    const given = checkKeys('options', options, [...inputKeys, 'pooling', 'normalize'], laterKeys);
    const pooling = oneOf('options.pooling', given.pooling ?? 'mean', ['mean', 'cls', 'last'] as const);
    const normalize = oneOf('options.normalize', given.normalize ?? true, [false, true]);
    const { attentionMask, tokenTypeIds, signal } = given;
    const tokens = this.#tokens(input);
    const mask = this.#mask(tokens, given);
    const { lastHiddenState } = await this.forward(input, { attentionMask, tokenTypeIds, signal });
    const rows = pool(lastHiddenState, pooling, mask);
    return normalize ? normalized(rows) : rows;
  }

  dispose(): void {
    this.#disposed = true;
    this.#weights.dispose();
  }

  async #run(
    tokens: TokenTable,
    mask: Int32Array,
    types: Int32Array,
    tap: Tap | undefined,
    { signal, onLayer, hiddenStates }: ForwardOptions,
  ): Promise<ForwardResult> {
    const attention = this.#attention;
    const { heads, epsilon, activation } = this.#checkpoint;
    const shape = [tokens.batch, tokens.length, this.embedSize];
    const hidden = attention.zeros(shape);
    const attended = attention.zeros(shape);
    const taken = new Map<number, NdArray>();
    const states: NdArray[] = [];
    try {
      this.#embed(tokens, mask, types, hidden);
      if (hiddenStates) states.push(copyOf(hidden));
      const attentionMask = { data: mask, shape: [tokens.batch, tokens.length] };
      for (const [index, layer] of this.#layers.entries()) {
        await nextTurn();
        if (signal?.aborted) throw abortError(signal);
        const wanted = tap?.layers.includes(index) ?? false;
        const { weights } = attention.selfAttention(hidden, layer.attention, {
          numHeads: heads,
          attentionMask,
          weights: wanted,
          out: attended,
        });
        if (weights) taken.set(index, (tap as Tap).select(weights));
        attention.add(attended, hidden, { out: attended });
        this.#normalise(attended, layer.attentionNorm, epsilon);
        attention.feedForward(attended, layer.feedForward, { activation, out: hidden });
        attention.add(hidden, attended, { out: hidden });
        this.#normalise(hidden, layer.outputNorm, epsilon);
        if (hiddenStates) states.push(copyOf(hidden));
        onLayer?.(index, this.layers);
      }
      const lastHiddenState = copyOf(hidden);
      return {
        lastHiddenState,
        ...(this.#pooler ? { pooled: this.#pool(lastHiddenState) } : {}),
        attentions: tap?.layers.map((index) => taken.get(index) as NdArray),
        ...(hiddenStates ? { hiddenStates: states } : {}),
      } as ForwardResult;
    } finally {
      hidden.dispose();
      attended.dispose();
    }
  }

  #embed(tokens: TokenTable, mask: Int32Array, types: Int32Array, hidden: Tensor<'float32'>): void {
    const attention = this.#attention;
    const shape = [tokens.batch, tokens.length];
    const rows = (data: Int32Array, table: Tensor) => attention.embedding({ data, shape }, table);
    attention.embedding({ data: tokens.values, shape }, this.#words, { out: hidden });
    attention.add(hidden, rows(this.#positionIds(tokens, mask), this.#positions), { out: hidden });
    if (this.#types) attention.add(hidden, rows(types, this.#types), { out: hidden });
    this.#normalise(hidden, this.#embeddingNorm, this.#checkpoint.epsilon);
  }

  /** tanh of a linear layer over the first token. */
  #pool(hidden: NdArray): NdArray {
    const { weight, bias } = this.#pooler as Affine;
    return this.#attention.tanh(this.#attention.linear(pool(hidden, 'cls'), weight, bias));
  }

  /** 0, 1, 2 …; RoBERTa counts attended tokens from 2 and gives padding the position before. */
  #positionIds({ batch, length }: TokenTable, mask: Int32Array): Int32Array {
    const { firstPosition } = this.#checkpoint;
    if (firstPosition === 0) return Int32Array.from({ length: batch * length }, (_, at) => at % length);
    let next = firstPosition;
    return mask.map((attends, at) => {
      if (at % length === 0) next = firstPosition;
      return attends ? next++ : firstPosition - 1;
    });
  }

  #tokens(input: TokenIds): TokenTable {
    if (this.#disposed) throw new AttentionError('DISPOSED', undefined, 'this model was disposed');
    const tokens = tokenTable('input', input);
    if (tokens.length === 0)
      throw new AttentionError('INVALID_ARGUMENT', 'input', 'got no tokens, wanted at least one');
    if (tokens.length > this.maxLength) {
      const message = `got ${tokens.length} tokens, wanted at most ${this.maxLength}`;
      throw new AttentionError('INVALID_ARGUMENT', 'input', message);
    }
    checkRows('input', tokens.values, this.#checkpoint.vocabulary);
    return tokens;
  }

  #mask(tokens: TokenTable, { attentionMask }: { attentionMask?: TokenIds }): Int32Array {
    if (attentionMask !== undefined) return besideTokens('options.attentionMask', attentionMask, tokens);
    const { length, lengths } = tokens;
    return tokens.values.map((_, at) => (at % length < (lengths[Math.floor(at / length)] as number) ? 1 : 0));
  }

  #tokenTypes(tokens: TokenTable, { tokenTypeIds }: { tokenTypeIds?: TokenIds }): Int32Array {
    if (tokenTypeIds === undefined) return new Int32Array(tokens.values.length);
    const { tokenTypes } = this.#checkpoint;
    if (tokenTypes === 0) throw invalid('options.tokenTypeIds', tokenTypeIds, `none: ${this.type} has no token types`);
    const types = besideTokens('options.tokenTypeIds', tokenTypeIds, tokens);
    checkRows('options.tokenTypeIds', types, tokenTypes);
    return types;
  }

  #tap(asked: AttentionTap | undefined): Tap | undefined {
    if (asked === undefined || asked === false) return undefined;
    const { layers, heads } = asked === true ? {} : checkKeys('options.attention', asked, ['layers', 'heads']);
    return new Tap(
      indices('options.attention.layers', layers, this.layers),
      indices('options.attention.heads', heads, this.heads),
    );
  }

  /** Calls share the engine's scratch and give way between layers: one runs after the other. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  #normalise(x: Tensor<'float32'>, { weight, bias }: Affine, epsilon: number): void {
    this.#attention.layerNorm(x, weight, bias, { epsilon, out: x });
  }

  #norm(name: string): Affine {
    const { embedSize } = this.#checkpoint;
    return {
      weight: this.#weights.float32(`${name}.weight`, [embedSize]),
      bias: this.#weights.float32(`${name}.bias`, [embedSize]),
    };
  }

  #layer(index: number): Layer {
    const names = this.#checkpoint.layer(index);
    const { embedSize: e, hiddenSize: f } = this.#checkpoint;
    const weight = (name: string, rows: number, columns: number) =>
      this.#weights.float32(`${name}.weight`, [rows, columns]);
    const bias = (name: string, length: number) => this.#weights.float32(`${name}.bias`, [length]);
    return {
      attention: {
        query: weight(names.query, e, e),
        key: weight(names.key, e, e),
        value: weight(names.value, e, e),
        output: weight(names.output, e, e),
        queryBias: bias(names.query, e),
        keyBias: bias(names.key, e),
        valueBias: bias(names.value, e),
        outputBias: bias(names.output, e),
      },
      attentionNorm: this.#norm(names.attentionNorm),
      feedForward: {
        up: weight(names.up, f, e),
        down: weight(names.down, e, f),
        upBias: bias(names.up, f),
        downBias: bias(names.down, e),
      },
      outputNorm: this.#norm(names.outputNorm),
    };
  }
}

makeDisposable(Encoder);

export function createEncoder(attention: Attention, checkpoint: Checkpoint, weights: Weights): Model {
  return new Encoder(attention, checkpoint, weights) as unknown as Model;
}

/** Which layers and heads were asked for. */
class Tap {
  constructor(
    readonly layers: readonly number[],
    readonly heads: readonly number[],
  ) {}

  /** [B,H,S,S] → [B,heads asked,S,S]. */
  select(weights: NdArray): NdArray {
    const [batch, all, rows, columns] = weights.shape as [number, number, number, number];
    if (this.heads.length === all && this.heads.every((head, at) => head === at)) return weights;
    const count = rows * columns;
    const data = new Float32Array(batch * this.heads.length * count);
    for (let b = 0; b < batch; b++) {
      this.heads.forEach((head, at) => {
        const from = (b * all + head) * count;
        data.set(weights.data.subarray(from, from + count), (b * this.heads.length + at) * count);
      });
    }
    const shape = [batch, this.heads.length, rows, columns];
    return { data, shape, dims: shape };
  }
}

function indices(argument: string, asked: readonly number[] | undefined, count: number): number[] {
  if (asked === undefined) return Array.from({ length: count }, (_, index) => index);
  if (!Array.isArray(asked)) throw invalid(argument, asked, 'an array of indices');
  return asked.map((index) => integer(argument, index, 0, count - 1));
}

function copyOf(tensor: Tensor<'float32'>): NdArray {
  const shape = [...tensor.shape];
  return { data: new Float32Array(tensor.data), shape, dims: shape };
}
