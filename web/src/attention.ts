import { checkKeys, oneOf } from './arguments.js';
import type { Engine } from './engine.js';
import { AttentionError, describe, invalid } from './errors.js';
import { Functions } from './functions.js';
import { createCache } from './kv-cache.js';
import { emptyWeight, pack } from './linear-weight.js';
import { masks } from './masks/index.js';
import { multiHead } from './multi-head.js';
import { bytesPerElement, checkDims, operand } from './operand.js';
import { Scope } from './scope.js';
import { makeDisposable, ResidentTensor } from './tensor.js';
import type {
  Attention,
  DType,
  KvCache,
  KvCacheConfig,
  LinearWeight,
  MultiHeadAttention,
  MultiHeadConfig,
  ResultsOf,
  ScopedAttention,
  Tensor,
  TensorLike,
} from './types.js';
import { version } from './version.js';
import { onUnknownValue } from './words.js';

const dtypes = ['float32', 'float16', 'int8', 'int32', 'bool'] as const;

/** What loading decided. */
export type Loaded = Pick<Attention['info'], 'variant' | 'threads' | 'threadsReason'>;

/** What an engine makes and holds, beside its functions. */
class EngineAttention extends Functions {
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

  scope<T>(work: (attention: ScopedAttention) => T): ResultsOf<T> {
    if (typeof work !== 'function') throw invalid('work', work, 'a function');
    const scope = new Scope(this.engine);
    return scope.run(() => work(new Functions(this.engine, scope.keep) as unknown as ScopedAttention));
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
