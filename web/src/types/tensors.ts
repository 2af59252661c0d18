/// <reference lib="esnext.disposable" preserve="true" />
/** IEEE half floats; by shape, so that older TypeScript libraries read it too. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly buffer: ArrayBufferLike;
  readonly [Symbol.toStringTag]: 'Float16Array';
}

export type DType = 'float32' | 'float16' | 'int8' | 'int32' | 'bool';

/**
 * Anything with data and a shape: this package's tensors (read in place when of the same engine, else
 * INVALID_ARGUMENT), onnxruntime and transformers.js tensors (`dims`, `type`), plain objects.
 *
 * The element type comes from `dtype`, else `type`, else the array; a Uint16Array without either is
 * UNSUPPORTED_DTYPE, never a guess. Float64 is rounded to float32. Everything is computed in float32 and every result
 * is float32. Arrays are copied in on each call; `embedding` copies only the rows asked for.
 */
export type TensorLike =
  | ({
      readonly data:
        | Float32Array
        | Float64Array
        | Float16ArrayLike
        | Uint16Array
        | Int32Array
        | Int8Array
        | Uint8Array
        | BigInt64Array;
      readonly dtype?: DType | 'float64' | 'int64' | 'uint8';
    } & ({ readonly shape: readonly number[] } | { readonly dims: readonly number[] }))
  | { readonly data: ArrayLike<unknown>; readonly dims: readonly number[]; readonly type: string };

/** Ids, lengths, positions: int64 as tokenizers and onnxruntime give it is welcome. */
export type Integers = ArrayLike<number | bigint>;

/** A result owned by JavaScript: an ordinary copy, garbage collected, transferable, never a view that can go stale. */
export interface NdArray {
  data: Float32Array<ArrayBuffer>;
  shape: number[];
  /** The same as `shape`. */
  dims: number[];
}

/** The array behind `Tensor.data`, by element type. */
export interface TensorData {
  float32: Float32Array;
  float16: Uint16Array;
  int8: Int8Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/**
 * A tensor in WebAssembly memory: no copy in or out. Free it with `using` or dispose() (twice is fine); collectors do
 * not see WebAssembly memory, so the finaliser is only a net.
 */
export interface Tensor<D extends DType = DType> extends Disposable {
  readonly shape: readonly number[];
  readonly dims: readonly number[];
  readonly dtype: D;
  /**
   * A live view, made anew if memory has grown; valid until the next call. Writable: nothing is remembered of its
   * contents between calls. With threads its memory is shared, which some functions of browsers refuse (TextDecoder, for
   * one): `slice()` makes an ordinary array.
   * @throws AttentionError DISPOSED after dispose.
   */
  readonly data: TensorData[D];
  dispose(): void;
}

/**
 * Where to put an output: float32, of its shape (Tensor) or length (array). It is returned in the result's place (an
 * NdArray over the array, or the Tensor itself). Element-wise layers, norms, softmax and rotaryEmbedding may write onto
 * x; any other overlap with an input is INVALID_ARGUMENT.
 */
export type Out = Tensor<'float32'> | Float32Array;
export type Into<O> = O extends { dispose(): void } ? O : NdArray;
