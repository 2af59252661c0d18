/** Why an AttentionError was thrown: one code for each kind of reason, the argument and the details beside it. */
export type AttentionErrorCode =
  /** Ranks or sizes that do not fit each other. */
  | 'SHAPE_MISMATCH'
  /** A value outside what the argument means, an unknown option key, options that exclude each other. */
  | 'INVALID_ARGUMENT'
  /** An element type that the argument does not take. */
  | 'UNSUPPORTED_DTYPE'
  /** More memory than the engine may have, or JavaScript gives; the engine works on. */
  | 'OUT_OF_MEMORY'
  /** A cache without a window has no room for so many keys; none was appended. */
  | 'CAPACITY_EXCEEDED'
  /** The engine, tensor, layer, cache or model was given back before, or its worker has ended. */
  | 'DISPOSED'
  /** Given up by the caller's AbortSignal; `cause` is its reason. */
  | 'ABORTED'
  /** The module, its script or a worker could not be fetched, compiled or started; `cause` says why. */
  | 'LOAD_FAILED'
  /** This JavaScript engine lacks what was asked for: SIMD, the variant named, threads. */
  | 'UNSUPPORTED_ENGINE'
  /** Bytes that are no safetensors file, or no saved cache, or were changed. */
  | 'CORRUPT_FILE';
