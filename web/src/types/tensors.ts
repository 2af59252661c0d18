/// <reference lib="esnext.disposable" preserve="true" />
/** A Float16Array of IEEE half floats; by shape, so that older TypeScript libraries read it too. */
export interface Float16ArrayLike extends ArrayLike<number> {
  /** The memory of the halves: their bits are read from it, from `byteOffset` on. */
  readonly buffer: ArrayBufferLike;
  /** By which it is known, since engines without the class have stand-ins. */
  readonly [Symbol.toStringTag]: 'Float16Array';
}

/**
 * Element types of tensors in WebAssembly memory: IEEE floats of 4 and 2 bytes, signed integers of 1 and 4 bytes, and
 * bytes of which every non-zero one is true.
 */
export type DType = 'float32' | 'float16' | 'int8' | 'int32' | 'bool';

/**
 * Anything with data and a shape: this package's tensors (read in place when of the same engine, else
 * INVALID_ARGUMENT), tensors of onnxruntime and transformers.js (`dims`, `type`), views of ndarray libraries, plain
 * objects.
 *
 * The element type comes from `dtype`, else `type`, else the array; a Uint16Array without either is UNSUPPORTED_DTYPE,
 * never a guess. Float64 is rounded to float32, bfloat16 widened to it. Everything is computed in float32 and every result is float32. Arrays
 * are copied in on each call; `embedding` copies only the rows asked for.
 *
 * Values are row-major unless `strides` (or `stride`, as scijs and zarrita name it), `offset`, `order: 'column-major'` or
 * `fortranOrder: true` say otherwise. Such views are obeyed, and copied once more when their values are not in row-major
 * order.
 *
 * @throws AttentionError SHAPE_MISMATCH if the product of the sizes is not the array's length, if a view reads outside
 * its data, or if there are more than 8 axes; UNSUPPORTED_DTYPE if array and type do not go together; INVALID_ARGUMENT
 * if an int64 value is no int32, or a stride or offset is no integer.
 */
export type TensorLike =
  | ({
      /**
       * The values. float16 is a Float16Array, or its bits in a Uint16Array; bfloat16 is its bits in a Uint16Array. A
       * Uint8ClampedArray counts as a Uint8Array.
       */
      readonly data:
        | Float32Array
        | Float64Array
        | Float16ArrayLike
        | Uint16Array
        | Int32Array
        | Int8Array
        | Uint8Array
        | Uint8ClampedArray
        | BigInt64Array;
      /** Element type; the array's own by default. */
      readonly dtype?: DType | 'float64' | 'bfloat16' | 'int64' | 'uint8';
      /**
       * For each axis, how many elements of data lie between an index and the next; may be 0 (the same value again) or
       * negative (backwards). By default data is row-major without gaps.
       */
      readonly strides?: ArrayLike<number>;
      /** Index in data of the first value; 0 by default. */
      readonly offset?: number;
    } & (
      | {
          /** Sizes, the outermost axis first; [] is a scalar. */
          readonly shape: readonly number[];
        }
      | {
          /** The same by onnxruntime's name. */
          readonly dims: readonly number[];
        }
    ))
  | {
      /** The typed array of an onnxruntime or transformers.js tensor. */
      readonly data: ArrayLike<unknown>;
      /** Sizes, the outermost axis first. */
      readonly dims: readonly number[];
      /** Element type by the names that `dtype` has above; another one is UNSUPPORTED_DTYPE. */
      readonly type: string;
    };

/**
 * Ids, lengths, positions: int64 as tokenizers and onnxruntime give it is welcome. What is no 32-bit integer is
 * INVALID_ARGUMENT.
 */
export type Integers = ArrayLike<number | bigint>;

/** A result owned by JavaScript: an ordinary copy, garbage collected, transferable, never a view that can go stale. */
export interface NdArray {
  /** Row-major values. */
  data: Float32Array<ArrayBuffer>;
  /** Sizes, the outermost axis first. */
  shape: number[];
  /** The same as `shape`. */
  dims: number[];
}

/** Integers owned by JavaScript: ids for `embedding`, places in a tensor. */
export interface IntegerArray {
  /** Row-major values. */
  data: Int32Array<ArrayBuffer>;
  /** Sizes, the outermost axis first. */
  shape: number[];
  /** The same as `shape`. */
  dims: number[];
}

/** The array behind `Tensor.data`, by element type. */
export interface TensorData {
  /** IEEE single floats, 4 bytes each. */
  float32: Float32Array;
  /** The bits of IEEE half floats, 2 bytes each. */
  float16: Uint16Array;
  /** Signed bytes; what they stand for, factors beside them say (keyScales, valueScales). */
  int8: Int8Array;
  /** Signed integers, 4 bytes each; int64 and uint8 are held so, too. */
  int32: Int32Array;
  /** One byte each: non-zero is true. */
  bool: Uint8Array;
}

/**
 * A tensor in WebAssembly memory: no copy in or out. Free it with `using` or dispose() (twice is fine); collectors do
 * not see WebAssembly memory, so the finaliser is only a net.
 */
export interface Tensor<D extends DType = DType> extends Disposable {
  /** Sizes, the outermost axis first; fixed when the tensor is made. */
  readonly shape: readonly number[];
  /** The same as `shape`. */
  readonly dims: readonly number[];
  /** Element type; fixed when the tensor is made. */
  readonly dtype: D;
  /**
   * A live view, made anew if memory has grown; valid until the next call. Writable: nothing is remembered of its
   * contents between calls. With threads its memory is shared, which some functions of browsers refuse (TextDecoder,
   * for one): `slice()` makes an ordinary array.
   * @throws AttentionError DISPOSED after dispose().
   */
  readonly data: TensorData[D];
  /** Gives its memory back; calls that are given it then throw DISPOSED. May be called twice. */
  dispose(): void;
}

/**
 * Where to put an output: float32, of its shape (Tensor) or length (array). It is returned in the result's place (an
 * NdArray over the array, or the Tensor itself). Element-wise layers, norms, softmax and rotaryEmbedding may write onto
 * x, add and multiply onto either input; any other overlap with an input is INVALID_ARGUMENT, another shape or length SHAPE_MISMATCH.
 */
export type Out = Tensor<'float32'> | Float32Array;
/** What comes back in the place of a result: the tensor that was given as `out`, an NdArray over the array, else R. */
export type Into<O, R = NdArray> = O extends {
  /** By which tensors are told from arrays. */
  dispose(): void;
}
  ? O
  : O extends Float32Array
    ? NdArray
    : R;

/** Where the result of a call goes. */
export interface OutOption<O> {
  /** Where the result goes; a new array by default. Element-wise layers, norms and softmax may write onto x itself. */
  out?: O;
}
