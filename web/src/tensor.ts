import { bindMethods } from './bound.js';
import type { Engine } from './engine.js';
import { AttentionError } from './errors.js';
import { net } from './forgotten.js';
import type { DType, LinearWeight, Tensor, TensorData } from './types.js';

const views = {
  float32: Float32Array,
  float16: Uint16Array,
  int8: Int8Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** Gives memory back when a tensor was dropped without dispose(). */
const forgotten = net<{ engine: Engine; address: number }>(({ engine, address }) => {
  if (engine.disposed) return false;
  engine.core.release(address);
  return true;
});

/** A tensor in an engine's memory. */
export class ResidentTensor<D extends DType = DType> implements Tensor<D> {
  readonly shape: readonly number[];
  readonly dtype: D;
  readonly #engine: Engine;
  readonly #address: number;
  readonly #length: number;
  #disposed = false;
  declare [Symbol.dispose]: () => void;

  /** Takes over `address`, which came from engine.allocate(). */
  constructor(engine: Engine, address: number, shape: readonly number[], dtype: D) {
    this.#engine = engine;
    this.#address = address;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.#length = shape.reduce((product, dim) => product * dim, 1);
    forgotten.register(this, { engine, address }, this);
    bindMethods(this);
  }

  get dims(): readonly number[] {
    return this.shape;
  }

  get data(): TensorData[D] {
    this.addressIn(this.#engine, 'data');
    const View = views[this.dtype] as Float32ArrayConstructor;
    return new View(this.#engine.shown, this.#address, this.#length) as TensorData[DType] as TensorData[D];
  }

  /** @internal Where the values are, for a call of `engine`. */
  addressIn(engine: Engine, argument: string): number {
    if (this.isDisposed) {
      throw new AttentionError('DISPOSED', argument, 'got a tensor that was disposed');
    }
    if (engine !== this.#engine) {
      throw new AttentionError(
        'INVALID_ARGUMENT',
        argument,
        'got a tensor of another engine, wanted one of this engine',
      );
    }
    return this.#address;
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.#disposed || this.#engine.disposed;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forgotten.unregister(this);
    if (!this.#engine.disposed) this.#engine.core.release(this.#address);
  }
}

/** `using` where the engine knows Symbol.dispose (WebKit does not). */
export function makeDisposable(type: { prototype: { dispose(): void } }): void {
  if (typeof Symbol.dispose !== 'symbol') return;
  Object.defineProperty(type.prototype, Symbol.dispose, {
    value(this: { dispose(): void }) {
      this.dispose();
    },
  });
}

makeDisposable(ResidentTensor);

/** What the core calls weights in panels. */
export const panelsOf = { float32: 'panels', int8: 'panels8' } as const;

/** The weights [out,in] of a linear layer in panels (cpp/src/kernels/pack.hpp), held by a tensor of their memory. */
export class PackedWeight implements LinearWeight {
  readonly shape: readonly number[];
  readonly dtype: LinearWeight['dtype'];
  /** @internal */
  readonly panels: ResidentTensor<'float32'>;
  declare [Symbol.dispose]: () => void;

  constructor(panels: ResidentTensor<'float32'>, shape: readonly number[], dtype: LinearWeight['dtype']) {
    this.panels = panels;
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    bindMethods(this);
  }

  get dims(): readonly number[] {
    return this.shape;
  }

  get byteLength(): number {
    return this.panels.shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
  }

  dispose(): void {
    this.panels.dispose();
  }
}

makeDisposable(PackedWeight);
