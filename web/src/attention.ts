import { checkKeys, oneOf } from './arguments.js';
import { attend, attendFor, attendProjected } from './attend.js';
import type { Core } from './attention-module.js';
import { shapeOfHeads, shapeOfPacked } from './call-shape.js';
import type { Engine } from './engine.js';
import { AttentionError, describe, invalid, refused } from './errors.js';
import { createCache } from './kv-cache.js';
import { Layers } from './layers.js';
import { emptyWeight, pack } from './linear-weight.js';
import { mapIntegers, mapKeys } from './map-options.js';
import { masks } from './masks/index.js';
import { multiHead } from './multi-head.js';
import {
  bytesPerElement,
  checkDims,
  integerOperand,
  named,
  type Operand,
  operand,
  optionalOperand,
} from './operand.js';
import { noExtras, optionKeys, ruleKeys } from './rules.js';
import { makeDisposable, ResidentTensor } from './tensor.js';
import type {
  Attention,
  AttentionMapOptions,
  AttentionOptions,
  AttentionResult,
  DType,
  Integers,
  KvCache,
  KvCacheConfig,
  LinearAttentionOptions,
  LinearWeight,
  MultiHeadAttention,
  MultiHeadConfig,
  NdArray,
  ProjectionWeights,
  Tensor,
  TensorLike,
} from './types.js';
import { version } from './version.js';
import { onUnknownValue } from './words.js';

type Projections = ProjectionWeights<TensorLike | LinearWeight>;

const dtypes = ['float32', 'float16', 'int8', 'int32', 'bool'] as const;
/** FeatureMap of cpp/include/attention/attention.hpp, in its order. */
const featureMaps = ['elu+1', 'relu'] as const;
const linearKeys = ['causal', 'featureMap', 'layout', 'numHeads', 'numKvHeads'] as const;

/** What loading decided. */
export type Loaded = Pick<Attention['info'], 'variant' | 'threads' | 'threadsReason'>;

/** The public functions over one engine: arguments become operands, and one call of the core does the work. */
class EngineAttention extends Layers {
  readonly masks = masks;
  readonly #loaded: Loaded;

  constructor(engine: Engine, loaded: Loaded) {
    super(engine);
    this.#loaded = loaded;
  }

  get info(): Attention['info'] {
    const { disposed } = this.engine;
    return {
      ...this.#loaded,
      version,
      memoryBytes: disposed ? 0 : this.engine.memory.buffer.byteLength,
      highWaterBytes: disposed ? 0 : this.engine.core.highWater(),
    };
  }

  dispose(): void {
    this.engine.dispose();
  }

  tensor(data: TensorLike, dtype?: 'float32'): Tensor {
    const from = this.engine.detached(operand('data', data));
    if (dtype === undefined) return this.engine.resident(from);
    oneOf('dtype', dtype, ['float32']);
    const wide = this.zeros(from.shape);
    try {
      return this.layer<Tensor<'float32'>>({ operands: [from], out: wide, run: (core) => core.toFloat32() });
    } catch (error) {
      wide.dispose();
      throw error;
    }
  }

  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Tensor<D> {
    const type = dtype ?? ('float32' as D);
    if (!dtypes.includes(type)) {
      const message = `got ${describe(type)}, wanted one of ${dtypes.join(', ')}${onUnknownValue(type, dtypes)}`;
      throw new AttentionError('UNSUPPORTED_DTYPE', 'dtype', message);
    }
    const dims = checkDims('shape', shape);
    const bytes = dims.reduce((product, dim) => product * dim, bytesPerElement[type]);
    const address = this.engine.allocate('shape', bytes);
    new Uint8Array(this.engine.memory.buffer, address, bytes).fill(0);
    return new ResidentTensor(this.engine, address, dims, type);
  }

  scaledDotProductAttention(q: TensorLike, k: TensorLike, v: TensorLike, given?: AttentionOptions): AttentionResult {
    const options = checkKeys('options', given, optionKeys);
    const [query, key] = [operand('q', q), operand('k', k)];
    const operands = [query, key, operand('v', v)];
    return attend(
      this.engine,
      { operands, shape: () => shapeOfHeads(query, key, options), run: (core) => core.attention() },
      options,
    );
  }

  variableLengthAttention(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    given: AttentionOptions<false> & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): AttentionResult {
    const options = checkKeys('options', given, [...optionKeys, 'cuSeqlensQ', 'cuSeqlensKv']);
    for (const name of ['layout', 'weights'] as const) {
      if (options[name] === undefined || options[name] === false) continue;
      throw refused(`options.${name}`, describe(options[name]), 'none: sequences are packed [T,H,D]');
    }
    const [query, key] = [operand('q', q), operand('k', k)];
    const queryStarts = integerOperand('options.cuSeqlensQ', options.cuSeqlensQ);
    const keyStarts = integerOperand('options.cuSeqlensKv', options.cuSeqlensKv);
    const operands = [query, key, operand('v', v), queryStarts, keyStarts];
    const shape = () => shapeOfPacked(query, key, queryStarts.values as Int32Array, keyStarts.values as Int32Array);
    return attend(this.engine, { operands, shape, run: (core) => core.variableLengthAttention() }, options);
  }

  selfAttention(x: TensorLike, projections: Projections, options?: AttentionOptions): AttentionResult {
    return attendProjected(this.engine, { x: operand('x', x) }, projectionOperands(projections), options);
  }

  crossAttention(
    x: TensorLike,
    context: TensorLike,
    projections: Projections,
    options?: AttentionOptions,
  ): AttentionResult {
    const sources = { x: operand('x', x), key: operand('context', context) };
    return attendProjected(this.engine, sources, projectionOperands(projections), options);
  }

  linearWeight(weight: TensorLike, given?: { dtype?: 'float32' | 'int8' }): LinearWeight {
    const { dtype } = checkKeys('options', given, ['dtype']);
    const kind = oneOf('options.dtype', dtype ?? 'float32', ['float32', 'int8'] as const);
    const from = this.engine.detached(operand('weight', weight));
    const packed = emptyWeight(this.engine, from.shape, kind);
    try {
      for (const _ of pack(this.engine, from, packed));
      return packed;
    } catch (error) {
      packed.dispose();
      throw error;
    }
  }

  multiHeadAttention(config: MultiHeadConfig, weights: Readonly<Record<string, TensorLike>>): MultiHeadAttention {
    return multiHead(this.engine, config, weights, {
      weight: (data) => this.linearWeight(data),
      bias: (data) => this.tensor(data, 'float32') as Tensor<'float32'>,
    });
  }

  kvCache(config: KvCacheConfig): KvCache {
    return createCache(this.engine, config);
  }

  linearAttention(q: TensorLike, k: TensorLike, v: TensorLike, given?: LinearAttentionOptions): { output: NdArray } {
    const { featureMap, ...options } = checkKeys('options', given, linearKeys);
    const causal = oneOf('options.causal', options.causal ?? false, [false, true]);
    const features = featureMaps.indexOf(oneOf('options.featureMap', featureMap ?? 'elu+1', featureMaps));
    const request = {
      operands: [operand('q', q), operand('k', k), operand('v', v)],
      integers: () => [features],
      shape: () => undefined,
      run: (core: Core) => core.linearAttention(),
    };
    return attendFor(this.engine, request, { ...options, causal }, noExtras, (results) => ({
      output: results.copy(0),
    }));
  }

  attentionMap(q: TensorLike, k: TensorLike, given?: AttentionMapOptions): NdArray {
    const options = checkKeys('options', given, [...ruleKeys, ...mapKeys]);
    const [query, key] = [operand('q', q), operand('k', k)];
    const map = mapIntegers(options);
    const request = {
      operands: [query, key, optionalOperand('options.logSumExp', options.logSumExp)],
      integers: () => map,
      shape: () => shapeOfHeads(query, key, options),
      run: (core: Core) => core.attentionMap(),
    };
    return attendFor(this.engine, request, options, noExtras, (results) => results.copy(0));
  }
}

makeDisposable(EngineAttention);

/** Where an engine's functions work. */
export function engineOf(attention: Attention): Engine {
  const own: unknown = attention;
  if (own instanceof EngineAttention) return (own as unknown as { engine: Engine }).engine;
  throw invalid(
    'attention',
    own,
    'what createAttention() resolves to; an engine in a worker has its own createModel()',
  );
}

export function attentionOver(engine: Engine, loaded: Loaded): Attention {
  // Their generic results are beyond what the compiler can compare; that every name is there is not.
  const complete: { [Name in Exclude<keyof Attention, typeof Symbol.dispose>]: unknown } = new EngineAttention(
    engine,
    loaded,
  );
  return complete as Attention;
}

function projectionOperands(projections: Projections): (Operand | undefined)[] {
  return named(
    'projections',
    projections,
    ['query', 'key', 'value'],
    ['output', 'queryBias', 'keyBias', 'valueBias', 'outputBias'],
  );
}
