import { refuseUntokenized } from './advice.js';
import { checkKeys, finite, integer, oneOf } from './arguments.js';
import type { Core } from './attention-module.js';
import { bindMethods } from './bound.js';
import { type Engine, type Keep, ndArray, type Request } from './engine.js';
import { AttentionError, invalid } from './errors.js';
import { floatOperand, idsOperand, named, operand, optionalOperand, rowsAskedFor, weightOperand } from './operand.js';
import { argmax, type Floats, topK } from './ranking.js';
import { concat, sliceRequest } from './rearrange.js';
import { rollout } from './rollout.js';
import { rotaryRequest } from './rotary.js';
import { ruleSlots } from './rules.js';
import type {
  FeedForwardWeights,
  IntegerArray,
  Integers,
  Into,
  LinearWeight,
  NdArray,
  Out,
  OutOption,
  RotaryOptions,
  TensorLike,
} from './types.js';

/** Activation of cpp/include/attention/layers.hpp, in its order. */
const activations = ['relu', 'gelu', 'gelu_tanh', 'silu', 'tanh', 'sigmoid', 'softplus'] as const;
type Activation = (typeof activations)[number];
/** Those that a feed-forward network may have between its layers. */
const hiddenActivations = ['relu', 'gelu', 'gelu_tanh', 'silu'] as const;
/** Binary of the same file, in its order. */
const binaries = ['add', 'multiply'] as const;

/** The operands of a layer follow the slots of attention's own options. */
const noRules: readonly undefined[] = Array.from({ length: ruleSlots });

/** The least float32 above 0. */
const smallest = 2 ** -149;

/** The layers around attention, over one engine. */
export class Layers {
  protected readonly engine: Engine;
  /** How results are kept; as copies by default. */
  protected readonly keep: Keep | undefined;

  constructor(engine: Engine, keep?: Keep) {
    this.engine = engine;
    this.keep = keep;
    bindMethods(this);
  }

  linear<O extends Out | undefined>(
    x: TensorLike,
    weight: TensorLike | LinearWeight,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const operands = [operand('x', x), weightOperand('weight', weight), optionalOperand('bias', bias)];
    return this.layer({ operands, out, isLong: true, run: (core) => core.linear() });
  }

  layerNorm<O extends Out | undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number; out?: O },
  ): Into<O> {
    const { axis, epsilon, out } = normOptions(options);
    const input = operand('x', x);
    const operands = [input, optionalOperand('weight', weight), optionalOperand('bias', bias)];
    return this.layer({ operands, out, onto: [input], run: (core) => core.layerNorm(axis, epsilon) });
  }

  rmsNorm<O extends Out | undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<O> {
    const { axis, epsilon, out } = normOptions(options);
    const input = operand('x', x);
    const operands = [input, optionalOperand('weight', weight)];
    return this.layer({ operands, out, onto: [input], run: (core) => core.rmsNorm(axis, epsilon) });
  }

  softmax<O extends Out | undefined>(x: TensorLike, options?: { axis?: number; out?: O }): Into<O> {
    const { axis, out } = checkKeys('options', options, ['axis', 'out']);
    const at = axisOf(axis);
    const input = operand('x', x);
    return this.layer({ operands: [input], out, onto: [input], run: (core) => core.softmax(at) });
  }

  gelu<O extends Out | undefined>(x: TensorLike, options?: { approximate?: 'none' | 'tanh' } & OutOption<O>): Into<O> {
    const { approximate, out } = checkKeys('options', options, ['approximate', 'out']);
    const kind = oneOf('options.approximate', approximate ?? 'none', ['none', 'tanh']);
    return this.#activation(kind === 'tanh' ? 'gelu_tanh' : 'gelu', x, out);
  }

  silu<O extends Out | undefined>(x: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#activation('silu', x, checkKeys('options', options, ['out']).out);
  }

  relu<O extends Out | undefined>(x: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#activation('relu', x, checkKeys('options', options, ['out']).out);
  }

  tanh<O extends Out | undefined>(x: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#activation('tanh', x, checkKeys('options', options, ['out']).out);
  }

  sigmoid<O extends Out | undefined>(x: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#activation('sigmoid', x, checkKeys('options', options, ['out']).out);
  }

  softplus<O extends Out | undefined>(x: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#activation('softplus', x, checkKeys('options', options, ['out']).out);
  }

  l2Normalize<O extends Out | undefined>(
    x: TensorLike,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<O> {
    const { axis, epsilon, out } = checkKeys('options', options, ['axis', 'epsilon', 'out']);
    const [at, least] = [axisOf(axis), epsilonOf('options.epsilon', epsilon ?? 1e-12)];
    const input = operand('x', x);
    return this.layer({ operands: [input], out, onto: [input], run: (core) => core.l2Normalize(at, least) });
  }

  add<O extends Out | undefined>(x: TensorLike, y: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#binary('add', x, y, options);
  }

  multiply<O extends Out | undefined>(x: TensorLike, y: TensorLike, options?: OutOption<O>): Into<O> {
    return this.#binary('multiply', x, y, options);
  }

  concat<O extends Out | undefined>(tensors: readonly TensorLike[], options: { axis: number; out?: O }): Into<O> {
    return concat(tensors, options, (request) => this.layer(request));
  }

  slice<O extends Out | undefined>(
    x: TensorLike,
    options: { axis: number; start?: number; end?: number; out?: O },
  ): Into<O> {
    return this.layer(sliceRequest(x, options));
  }

  cosineSimilarity(x: TensorLike, y: TensorLike): NdArray {
    const [{ shape: left }, { shape: right }] = [operand('x', x), operand('y', y)];
    const size = left.at(-1);
    if (size === undefined) throw new AttentionError('SHAPE_MISMATCH', 'x', 'got shape [], wanted [...,E]');
    if (right.length < 1 || right.length > 2 || right.at(-1) !== size) {
      throw new AttentionError('SHAPE_MISMATCH', 'y', `got shape [${right}], wanted [N,${size}] or [${size}]`);
    }
    const [rows, others] = [operand('x', this.#directions(x)), operand('y', this.#directions(y))];
    const run = (core: Core) => core.linear();
    if (right.length === 2) return this.layer<undefined>({ operands: [rows, others], isLong: true, run });
    // The one row of y gives a last axis of 1.
    const { keep } = this;
    const one = { operands: [rows, { ...others, shape: [1, size] }], isLong: true, run };
    if (keep) return this.layer<undefined>({ ...one, keep: (address, shape) => keep(address, shape.slice(0, -1)) });
    const { data, shape } = this.layer<undefined>(one);
    return ndArray(data, shape.slice(0, -1));
  }

  argmax(x: TensorLike, options?: { axis?: number }): IntegerArray {
    const { axis } = checkKeys('options', options, ['axis']);
    return argmax(this.#floats('x', x), axisOf(axis));
  }

  topK(x: TensorLike, k: number, options?: { axis?: number }): { values: NdArray; indices: IntegerArray } {
    const { axis } = checkKeys('options', options, ['axis']);
    return topK(this.#floats('x', x), integer('k', k, 1), axisOf(axis));
  }

  feedForward<O extends Out | undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: (typeof hiddenActivations)[number]; out?: O },
  ): Into<O> {
    const { activation, out } = checkKeys('options', options, ['activation', 'out']);
    const kind = oneOf('options.activation', activation ?? 'relu', hiddenActivations);
    const operands = [
      operand('x', x),
      ...named('weights', weights, ['up', 'down'], ['gate', 'upBias', 'downBias', 'gateBias']),
    ];
    return this.layer({ operands, out, isLong: true, run: (core) => core.feedForward(activations.indexOf(kind)) });
  }

  embedding<O extends Out | undefined>(
    ids: Integers | TensorLike,
    table: TensorLike | LinearWeight,
    options?: { out?: O },
  ): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    refuseUntokenized('ids', ids);
    const rows = rowsAskedFor(idsOperand('ids', ids), weightOperand('table', table));
    return this.layer({ operands: rows, out, run: (core) => core.embedding() });
  }

  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): NdArray {
    const { offset, base } = checkKeys('options', options, ['offset', 'base']);
    const from = finite('options.offset', offset ?? 0);
    const wavelength = finite('options.base', base ?? 10000);
    if (wavelength <= 0) throw invalid('options.base', base, 'above 0');
    integer('length', length, 0);
    integer('size', size, 0);
    return this.layer<undefined>({
      operands: [],
      run: (core) => core.sinusoidalPositions(length, size, from, wavelength),
    });
  }

  rotaryEmbedding<O extends Out | undefined>(x: TensorLike, options?: RotaryOptions<O>): Into<O> {
    return this.layer(rotaryRequest(x, options));
  }

  alibiSlopes(numHeads: number): NdArray {
    const heads = integer('numHeads', numHeads, 1, 2 ** 24);
    const { core } = this.engine;
    const shape = [heads];
    return {
      data: Float32Array.from({ length: heads }, (_, head) => core.alibiSlope(head, heads)),
      shape,
      dims: shape,
    };
  }

  attentionRollout(layers: readonly TensorLike[], options?: Parameters<typeof rollout>[1]): NdArray {
    return rollout(layers, options, this.engine, (request) => this.layer<undefined>(request));
  }

  protected layer<O extends Out | undefined>(request: Request): Into<O> {
    const operands = [...noRules, ...request.operands];
    return this.engine.call({ keep: this.keep, ...request, operands }, (results) => results.output()) as Into<O>;
  }

  /** Rows of length 1, however short they were; of zeros where they are zeros. */
  #directions(x: TensorLike): NdArray {
    return this.l2Normalize<undefined>(x, { epsilon: smallest });
  }

  /** Values of an input in float32, to be read before the next call. */
  #floats(argument: string, x: TensorLike): Floats {
    const from = floatOperand(argument, x);
    const { values, shape } = from;
    if (values instanceof Float32Array) return { data: values, shape };
    return this.engine.call({ operands: [...noRules, from], run: (core) => core.toFloat32() }, (results) =>
      results.copy(0),
    );
  }

  #binary<O extends Out | undefined>(
    kind: (typeof binaries)[number],
    x: TensorLike,
    y: TensorLike,
    options: OutOption<O> | undefined,
  ): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const operands = [operand('x', x), operand('y', y)];
    return this.layer({ operands, out, onto: operands, run: (core) => core.binary(binaries.indexOf(kind)) });
  }

  #activation<O extends Out | undefined>(kind: Activation, x: TensorLike, out: O | undefined): Into<O> {
    const input = operand('x', x);
    const code = activations.indexOf(kind);
    return this.layer({ operands: [input], out, onto: [input], run: (core) => core.activation(code) });
  }
}

function normOptions<O>(options: ({ axis?: number; epsilon?: number } & OutOption<O>) | undefined) {
  const { axis, epsilon, out } = checkKeys('options', options, ['axis', 'epsilon', 'out']);
  return { axis: axisOf(axis), epsilon: epsilonOf('options.epsilon', epsilon ?? 1e-5), out };
}

/** A number beside variances, in float32. */
export function epsilonOf(argument: string, epsilon: number): number {
  const isFloat = Math.fround(finite(argument, epsilon)) < Infinity && (epsilon === 0 || Math.fround(epsilon) > 0);
  if (!isFloat) throw invalid(argument, epsilon, 'a float32 of at least 0');
  return epsilon;
}

function axisOf(axis: number | undefined): number {
  return integer('options.axis', axis ?? -1, -0x80000000);
}
