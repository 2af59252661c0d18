// Named here so that the types also compile where neither lib.dom nor Node's types are loaded.
declare global {
  namespace WebAssembly {
    interface Module {}
  }
  interface URL {}
  interface Response {}
  interface AbortSignal {}
}

export type Variant = 'simd' | 'relaxed-simd';

export interface LoadOptions {
  /**
   * 'auto' (default) takes the fastest variant whose numerical self-test passes here; a named one is taken or refused
   * (UNSUPPORTED_ENGINE).
   */
  variant?: 'auto' | Variant;
  /**
   * The same bits in every engine, for results that are compared or hashed: takes the plain SIMD variant, which adds in
   * one fixed order and leaves no rounding to the engine. NaN is NaN everywhere, but its bits are the processor's own.
   * False by default; beside variant 'relaxed-simd' INVALID_ARGUMENT.
   */
  deterministic?: boolean;
  /**
   * Where the module's bytes come from: bundlers, CDNs, strict CSP, offline, edge. The address or the content of one
   * .wasm file, or a function from the file's name to its address. Bytes of another variant than the one named:
   * INVALID_ARGUMENT. Default: the files beside this module.
   */
  wasm?: string | URL | ArrayBuffer | Uint8Array | Response | WebAssembly.Module | ((file: string) => string | URL);
  /** Default 4 GiB, at least 4 MiB. Past it: OUT_OF_MEMORY, and the engine works on. */
  maximumMemoryBytes?: number;
  /** Rejects with ABORTED, cause = signal.reason. */
  signal?: AbortSignal;
}
