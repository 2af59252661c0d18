import { checkKeys, finite, integer, oneOf } from './arguments.js';
import type { Core } from './attention-module.js';
import type { Engine, Request } from './engine.js';
import { AttentionError, describe, invalid } from './errors.js';
import { bytesPerElement, checkDims, idsOperand, type Operand, operand, optionalOperand } from './operand.js';
import { attentionRules } from './rules.js';
import { makeDisposable, ResidentTensor } from './tensor.js';
import type {
  Attention,
  AttentionOptions,
  AttentionResult,
  DType,
  FeedForwardWeights,
  Integers,
  Into,
  NdArray,
  Out,
  ProjectionWeights,
  Tensor,
  TensorLike,
  Variant,
} from './types.js';
import { version } from './version.js';

const activations = ['relu', 'gelu'] as const;
const dtypes = ['float32', 'float16', 'int8', 'int32', 'bool'] as const;

/** The operands of a layer follow the four slots of attention's own options. */
const noRules: readonly undefined[] = [undefined, undefined, undefined, undefined];

/** The public functions over one engine: arguments become operands, and one call of the core does the work. */
class EngineAttention {
  readonly #engine: Engine;
  readonly #variant: Variant;

  constructor(engine: Engine, variant: Variant) {
    this.#engine = engine;
    this.#variant = variant;
  }

  get info(): Attention['info'] {
    const memoryBytes = this.#engine.disposed ? 0 : this.#engine.memory.buffer.byteLength;
    return { variant: this.#variant, threads: 1, version, memoryBytes };
  }

  dispose(): void {
    this.#engine.dispose();
  }

  tensor(data: TensorLike, dtype?: 'float32'): Tensor {
    const from = this.#engine.detached(operand('data', data));
    if (dtype === undefined) return this.#engine.resident(from);
    oneOf('dtype', dtype, ['float32']);
    const wide = this.zeros(from.shape);
    try {
      return this.#layer<Tensor<'float32'>>({ operands: [from], out: wide, run: (core) => core.toFloat32() });
    } catch (error) {
      wide.dispose();
      throw error;
    }
  }

  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Tensor<D> {
    const type = dtype ?? ('float32' as D);
    if (!dtypes.includes(type)) {
      const message = `got ${describe(type)}, wanted one of ${dtypes.join(', ')}`;
      throw new AttentionError('UNSUPPORTED_DTYPE', 'dtype', message);
    }
    const dims = checkDims('shape', shape);
    const bytes = dims.reduce((product, dim) => product * dim, bytesPerElement[type]);
    const address = this.#engine.allocate('shape', bytes);
    new Uint8Array(this.#engine.memory.buffer, address, bytes).fill(0);
    return new ResidentTensor(this.#engine, address, dims, type);
  }

  scaledDotProductAttention(q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions): AttentionResult {
    const operands = [operand('q', q), operand('k', k), operand('v', v)];
    return this.#attend(operands, options, (core) => core.attention());
  }

  selfAttention(x: TensorLike, projections: ProjectionWeights, options?: AttentionOptions): AttentionResult {
    const input = operand('x', x);
    return this.#attend([input, undefined, ...projectionOperands(projections)], options, (core) =>
      core.projectedAttention(),
    );
  }

  crossAttention(
    x: TensorLike,
    context: TensorLike,
    projections: ProjectionWeights,
    options?: AttentionOptions,
  ): AttentionResult {
    const operands = [operand('x', x), operand('context', context), ...projectionOperands(projections)];
    return this.#attend(operands, options, (core) => core.projectedAttention());
  }

  linear<O extends Out | undefined>(
    x: TensorLike,
    weight: TensorLike,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const operands = [operand('x', x), operand('weight', weight), optionalOperand('bias', bias)];
    return this.#layer({ operands, out, run: (core) => core.linear() });
  }

  layerNorm<O extends Out | undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number; out?: O },
  ): Into<O> {
    const { axis, epsilon, out } = checkKeys('options', options, ['axis', 'epsilon', 'out']);
    const at = axisOf(axis);
    const eps = finite('options.epsilon', epsilon ?? 1e-5);
    if (eps < 0) throw invalid('options.epsilon', eps, 'at least 0');
    const input = operand('x', x);
    const operands = [input, optionalOperand('weight', weight), optionalOperand('bias', bias)];
    return this.#layer({ operands, out, onto: input, run: (core) => core.layerNorm(at, eps) });
  }

  softmax<O extends Out | undefined>(x: TensorLike, options?: { axis?: number; out?: O }): Into<O> {
    const { axis, out } = checkKeys('options', options, ['axis', 'out']);
    const at = axisOf(axis);
    const input = operand('x', x);
    return this.#layer({ operands: [input], out, onto: input, run: (core) => core.softmax(at) });
  }

  gelu<O extends Out | undefined>(x: TensorLike, options?: { approximate?: 'none'; out?: O }): Into<O> {
    const { approximate, out } = checkKeys('options', options, ['approximate', 'out']);
    oneOf('options.approximate', approximate ?? 'none', ['none'], ['tanh']);
    const input = operand('x', x);
    return this.#layer({ operands: [input], out, onto: input, run: (core) => core.gelu() });
  }

  tanh<O extends Out | undefined>(x: TensorLike, options?: { out?: O }): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const input = operand('x', x);
    return this.#layer({ operands: [input], out, onto: input, run: (core) => core.tanh() });
  }

  add<O extends Out | undefined>(x: TensorLike, y: TensorLike, options?: { out?: O }): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const input = operand('x', x);
    return this.#layer({ operands: [input, operand('y', y)], out, onto: input, run: (core) => core.add() });
  }

  feedForward<O extends Out | undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: 'relu' | 'gelu'; out?: O },
  ): Into<O> {
    const { activation, out } = checkKeys('options', options, ['activation', 'out']);
    const kind = oneOf('options.activation', activation ?? 'relu', activations, ['gelu_tanh', 'silu']);
    const operands = [
      operand('x', x),
      ...named('weights', weights, ['up', 'down'], ['gate', 'upBias', 'downBias', 'gateBias']),
    ];
    return this.#layer({ operands, out, run: (core) => core.feedForward(activations.indexOf(kind)) });
  }

  embedding<O extends Out | undefined>(ids: Integers | TensorLike, table: TensorLike, options?: { out?: O }): Into<O> {
    const { out } = checkKeys('options', options, ['out']);
    const rows = rowsAskedFor(idsOperand('ids', ids), operand('table', table));
    return this.#layer({ operands: rows, out, run: (core) => core.embedding() });
  }

  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): NdArray {
    const { offset, base } = checkKeys('options', options, ['offset', 'base']);
    const from = finite('options.offset', offset ?? 0);
    const wavelength = finite('options.base', base ?? 10000);
    if (wavelength <= 0) throw invalid('options.base', base, 'above 0');
    integer('length', length, 0);
    integer('size', size, 0);
    return this.#layer<undefined>({
      operands: [],
      run: (core) => core.sinusoidalPositions(length, size, from, wavelength),
    });
  }

  #attend(
    operands: readonly (Operand | undefined)[],
    options: AttentionOptions | undefined,
    run: (core: Core) => number,
  ): AttentionResult {
    const rules = attentionRules(options);
    return this.#engine.call(
      {
        operands: [...rules.operands, ...operands],
        integers: rules.integers,
        scale: rules.scale,
        out: options?.out,
        run,
      },
      (results) =>
        ({
          output: results.output(),
          weights: rules.wantsWeights ? results.copy(1) : undefined,
          logSumExp: rules.wantsLogSumExp ? results.copy(2) : undefined,
        }) as AttentionResult,
    );
  }

  #layer<O extends Out | undefined>(request: Request): Into<O> {
    const operands = [...noRules, ...request.operands];
    return this.#engine.call({ ...request, operands }, (results) => results.output()) as Into<O>;
  }
}

makeDisposable(EngineAttention);

export function attentionOver(engine: Engine, variant: Variant): Attention {
  return new EngineAttention(engine, variant) as unknown as Attention;
}

function axisOf(axis: number | undefined): number {
  return integer('options.axis', axis ?? -1, -0x80000000);
}

/** The tensors of a record by name, required ones first; any other key is refused. */
function named<T extends object>(
  argument: string,
  record: T,
  required: readonly (keyof T & string)[],
  optional: readonly (keyof T & string)[],
): (Operand | undefined)[] {
  if (record === undefined) throw invalid(argument, record, 'an object');
  checkKeys(argument, record, [...required, ...optional]);
  return [
    ...required.map((key) => operand(`${argument}.${key}`, record[key])),
    ...optional.map((key) => optionalOperand(`${argument}.${key}`, record[key] as TensorLike | undefined)),
  ];
}

function projectionOperands(projections: ProjectionWeights): (Operand | undefined)[] {
  return named(
    'projections',
    projections,
    ['query', 'key', 'value'],
    ['output', 'queryBias', 'keyBias', 'valueBias', 'outputBias'],
  );
}

/**
 * For a table in JavaScript memory only the rows asked for are copied in, and the ids count those. Ids outside the
 * table are left as they are, with the whole table's shape, for the core to refuse.
 */
function rowsAskedFor(ids: Operand, table: Operand): [Operand, Operand] {
  const [rows, width] = table.shape;
  if (table.values instanceof ResidentTensor || ids.values instanceof ResidentTensor || ids.dtype !== 'int32') {
    return [ids, table];
  }
  if (table.shape.length !== 2 || rows === undefined || width === undefined) return [ids, table];
  const wanted = ids.values as Int32Array;
  if (wanted.some((id) => id < 0 || id >= rows)) return [ids, table];
  const source = table.values;
  if (wanted.length * width * source.BYTES_PER_ELEMENT >= 2 ** 32) {
    throw new AttentionError('OUT_OF_MEMORY', undefined, `${wanted.length} rows of ${width} values do not fit`);
  }
  const values = new (source.constructor as new (length: number) => typeof source)(wanted.length * width);
  wanted.forEach((id, i) => {
    values.set(source.subarray(id * width, (id + 1) * width), i * width);
  });
  return [
    { ...ids, values: Int32Array.from(wanted.keys()) },
    { ...table, values, shape: [wanted.length, width] },
  ];
}
