import type { Attention, TensorLike } from 'attention-wasm';
import { halves } from './oracle/values.ts';
import type { Floats } from './random.ts';

/** The engine's own where it has one, else what can be told of one: numbers, a name and the bits beneath. */
export function float16Array(values: ArrayLike<number>): ArrayLike<number> {
  const { Float16Array } = globalThis as { Float16Array?: { from(values: ArrayLike<number>): ArrayLike<number> } };
  if (Float16Array) return Float16Array.from(values);
  const { buffer, byteLength } = halves(values);
  const like = { length: values.length, buffer, byteLength, byteOffset: 0, BYTES_PER_ELEMENT: 2 };
  return Object.assign([], Array.from(values), like, { [Symbol.toStringTag]: 'Float16Array' });
}

/** As onnxruntime's: everything behind getters of a class, and more than is needed. */
export class SessionTensor {
  readonly #data: ArrayLike<unknown>;
  readonly dims: readonly number[];
  readonly type: string;
  constructor(type: string, data: ArrayLike<unknown>, dims: readonly number[]) {
    this.type = type;
    this.#data = data;
    this.dims = dims;
  }
  get data(): ArrayLike<unknown> {
    return this.#data;
  }
  get size(): number {
    return this.#data.length;
  }
  get location(): string {
    return 'cpu';
  }
  dispose(): void {}
}

/** As transformers.js': a proxy around an onnxruntime tensor that answers for its rows by index. */
export function proxied(type: string, data: ArrayLike<unknown>, dims: readonly number[]): TensorLike {
  const inner = new SessionTensor(type, data, dims);
  const outer = {
    ort_tensor: inner,
    get dims() {
      return inner.dims;
    },
    get type() {
      return inner.type;
    },
    get data() {
      return inner.data;
    },
    get size() {
      return inner.size;
    },
  };
  const get = (target: object, key: string | symbol) =>
    typeof key === 'string' && !Number.isNaN(Number(key)) ? 'a row' : Reflect.get(target, key);
  return new Proxy(outer, { get }) as unknown as TensorLike;
}

/** Every way to say the same floats, provided that they are halves. */
export const floatKinds: [string, (x: Floats, engine: Attention) => TensorLike][] = [
  ['dims', ({ data, shape }) => ({ data, dims: shape })],
  ['Float64Array', ({ data, shape }) => ({ data: Float64Array.from(data), shape })],
  ['float16 bits by dtype', ({ data, shape }) => ({ data: halves(data), shape, dtype: 'float16' })],
  ['Float16Array', ({ data, shape }) => ({ data: float16Array(data), shape }) as unknown as TensorLike],
  ['onnxruntime float32', ({ data, shape }) => new SessionTensor('float32', data, shape)],
  ['onnxruntime float16', ({ data, shape }) => new SessionTensor('float16', halves(data), shape)],
  [
    'onnxruntime float16 over Float16Array',
    ({ data, shape }) => new SessionTensor('float16', float16Array(data), shape),
  ],
  ['transformers.js float32', ({ data, shape }) => proxied('float32', data, shape)],
  [
    'a part of a larger buffer',
    ({ data, shape }) => {
      const room = new Float32Array(data.length + 7).fill(NaN);
      room.set(data, 3);
      return { data: room.subarray(3, 3 + data.length), shape };
    },
  ],
  [
    'shared memory',
    ({ data, shape }) => {
      const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
      shared.set(data);
      return { data: shared, shape };
    },
  ],
  ['a resident tensor', (x, engine) => engine.tensor(x)],
  [
    'a resident float16 tensor',
    ({ data, shape }, engine) => engine.tensor({ data: halves(data), shape, dtype: 'float16' }),
  ],
];

/** Every way to say the same small integers. */
export const integerKinds: [string, (values: number[]) => ArrayLike<number | bigint>][] = [
  ['Int32Array', (values) => Int32Array.from(values)],
  ['BigInt64Array', (values) => BigInt64Array.from(values.map(BigInt))],
  ['bigints', (values) => values.map(BigInt)],
  ['Int8Array', (values) => Int8Array.from(values)],
  ['array-like', (values) => ({ ...values, length: values.length })],
];

/** Every way to say the same zeros and ones. */
export const bitKinds: [string, (bits: number[], shape: number[], engine: Attention) => TensorLike][] = [
  ['bool', (bits, shape) => ({ data: Uint8Array.from(bits), shape, dtype: 'bool' })],
  ['onnxruntime bool', (bits, shape) => new SessionTensor('bool', Uint8Array.from(bits), shape)],
  ['transformers.js bool', (bits, shape) => proxied('bool', Uint8Array.from(bits), shape)],
  [
    'a resident bool tensor',
    (bits, shape, engine) => engine.tensor({ data: Uint8Array.from(bits), shape, dtype: 'bool' }),
  ],
];
export const countKinds: typeof bitKinds = [
  ...bitKinds,
  ['Int32Array', (bits, shape) => ({ data: Int32Array.from(bits), shape })],
  ['BigInt64Array', (bits, shape) => ({ data: BigInt64Array.from(bits.map(BigInt)), shape })],
  ['Uint8Array', (bits, shape) => ({ data: Uint8Array.from(bits), shape })],
  ['onnxruntime int64', (bits, shape) => new SessionTensor('int64', BigInt64Array.from(bits.map(BigInt)), shape)],
  ['transformers.js int64', (bits, shape) => proxied('int64', BigInt64Array.from(bits.map(BigInt)), shape)],
];
