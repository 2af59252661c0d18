import { refuseUntokenized } from './advice.js';
import { checkKeys, finite, integer, oneOf } from './arguments.js';
import { bindMethods } from './bound.js';
import type { Engine, Request } from './engine.js';
import { invalid } from './errors.js';
import { idsOperand, named, operand, optionalOperand, rowsAskedFor, weightOperand } from './operand.js';
import { rollout } from './rollout.js';
import { rotaryRequest } from './rotary.js';
import { ruleSlots } from './rules.js';
import type {
  FeedForwardWeights,
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
const activations = ['relu', 'gelu', 'gelu_tanh', 'silu', 'tanh'] as const;
type Activation = (typeof activations)[number];

/** The operands of a layer follow the slots of attention's own options. */
const noRules: readonly undefined[] = Array.from({ length: ruleSlots });

/** The layers around attention, over one engine. */
export class Layers {
  protected readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
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
    return this.layer({ operands, out, onto: input, run: (core) => core.layerNorm(axis, epsilon) });
  }

  rmsNorm<O extends Out | undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<O> {
    const { axis, epsilon, out } = normOptions(options);
    const input = operand('x', x);
    const operands = [input, optionalOperand('weight', weight)];
    return this.layer({ operands, out, onto: input, run: (core) => core.rmsNorm(axis, epsilon) });
  }

  softmax<O extends Out | undefined>(x: TensorLike, options?: { axis?: number; out?: O }): Into<O> {
    const { axis, out } = checkKeys('options', options, ['axis', 'out']);
    const at = axisOf(axis);
    const input = operand('x', x);
    return this.layer({ operands: [input], out, onto: input, run: (core) => core.softmax(at) });
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

  add<O extends Out | undefined>(x: TensorLike, y: TensorLike, options?: { out?: O }): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const input = operand('x', x);
    return this.layer({ operands: [input, operand('y', y)], out, onto: input, run: (core) => core.add() });
  }

  feedForward<O extends Out | undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: Exclude<Activation, 'tanh'>; out?: O },
  ): Into<O> {
    const { activation, out } = checkKeys('options', options, ['activation', 'out']);
    const kind = oneOf('options.activation', activation ?? 'relu', activations.slice(0, -1));
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
    return this.engine.call({ ...request, operands }, (results) => results.output()) as Into<O>;
  }

  #activation<O extends Out | undefined>(kind: Activation, x: TensorLike, out: O | undefined): Into<O> {
    const input = operand('x', x);
    const code = activations.indexOf(kind);
    return this.layer({ operands: [input], out, onto: input, run: (core) => core.activation(code) });
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
