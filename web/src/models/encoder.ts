import { abortError, abortSignal, checkKeys, oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { makeDisposable } from '../tensor.js';
import type {
  Attention,
  FeedForwardWeights,
  LinearWeight,
  NdArray,
  ProjectionWeights,
  Tensor,
  TensorLike,
} from '../types.js';
import type { Checkpoint } from './checkpoints.js';
import { normalized, pool } from './pooling.js';
import { readTap, type Tap } from './tap.js';
import { besideTokens, checkRows, type TokenTable, tokenTable } from './tokens.js';
import { nextTurn } from './turns.js';
import type { EmbedOptions, ForwardOptions, ForwardResult, Model, ModelOptions, TokenIds } from './types.js';
import type { Weights } from './weights.js';

interface Affine {
  weight: Tensor<'float32'>;
  bias: Tensor<'float32'>;
}

interface Pooler {
  weight: LinearWeight;
  bias: Tensor<'float32'>;
}

interface Layer {
  attention: ProjectionWeights<TensorLike | LinearWeight>;
  attentionNorm: Affine;
  feedForward: FeedForwardWeights;
  outputNorm: Affine;
}

/** A checked input. */
interface Batch {
  readonly tokens: TokenTable;
  readonly mask: Int32Array;
  readonly types: Int32Array;
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
  readonly #pooler: Pooler | undefined;
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
          weight: weights.linear('pooler.dense.weight', [embedSize, embedSize]),
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
    const { positions, paddingId } = this.#checkpoint;
    return paddingId === undefined ? positions : positions - paddingId - 1;
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
    const tap = readTap(given.attention, this.layers, this.heads);
    const batch = this.#read(input, given);
    return this.#enqueue(() => this.#run(batch, tap, { ...given, hiddenStates }));
  }

  async embed(input: TokenIds, options?: EmbedOptions): Promise<NdArray> {
    const given = checkKeys('options', options, [...inputKeys, 'pooling', 'normalize'], laterKeys);
    const pooling = oneOf('options.pooling', given.pooling ?? 'mean', ['mean', 'cls', 'last'] as const);
    const normalize = oneOf('options.normalize', given.normalize ?? true, [false, true]);
    const batch = this.#read(input, given);
    const { lastHiddenState } = await this.#enqueue(() => this.#run(batch, undefined, given));
    const rows = pool(lastHiddenState, pooling, batch.mask);
    return normalize ? normalized(rows) : rows;
  }

  dispose(): void {
    this.#disposed = true;
    this.#weights.dispose();
  }

  async #run(
    { tokens, mask, types }: Batch,
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
      this.#embed(tokens, types, hidden);
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

  #embed(tokens: TokenTable, types: Int32Array, hidden: Tensor<'float32'>): void {
    const attention = this.#attention;
    const shape = [tokens.batch, tokens.length];
    const rows = (data: Int32Array, table: Tensor) => attention.embedding({ data, shape }, table);
    attention.embedding({ data: tokens.values, shape }, this.#words, { out: hidden });
    attention.add(hidden, rows(this.#positionIds(tokens), this.#positions), { out: hidden });
    if (this.#types) attention.add(hidden, rows(types, this.#types), { out: hidden });
    this.#normalise(hidden, this.#embeddingNorm, this.#checkpoint.epsilon);
  }

  /** tanh of a linear layer over the first token. */
  #pool(hidden: NdArray): NdArray {
    const { weight, bias } = this.#pooler as Pooler;
    return this.#attention.tanh(this.#attention.linear(pool(hidden, 'cls'), weight, bias));
  }

  /** 0, 1, 2 …; RoBERTa's count tokens that are not padding, whatever the mask says. */
  #positionIds({ batch, length, values }: TokenTable): Int32Array {
    const { paddingId } = this.#checkpoint;
    if (paddingId === undefined) return Int32Array.from({ length: batch * length }, (_, at) => at % length);
    let last = paddingId;
    return values.map((id, at) => {
      if (at % length === 0) last = paddingId;
      return id === paddingId ? paddingId : ++last;
    });
  }

  #read(input: TokenIds, options: ModelOptions): Batch {
    abortSignal(options.signal);
    const tokens = this.#tokens(input);
    return { tokens, mask: this.#mask(tokens, options), types: this.#tokenTypes(tokens, options) };
  }

  #tokens(input: TokenIds): TokenTable {
    if (this.#disposed) throw new AttentionError('DISPOSED', undefined, 'this model was disposed');
    const tokens = tokenTable('input', input, this.#checkpoint.paddingId);
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

  /** One after the other, although each gives way between layers: memory stays that of one call. */
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
      this.#weights.linear(`${name}.weight`, [rows, columns]);
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

function copyOf(tensor: Tensor<'float32'>): NdArray {
  const shape = [...tensor.shape];
  return { data: new Float32Array(tensor.data), shape, dims: shape };
}
