// Named here so that the types also compile where neither lib.dom nor Node's types are loaded.
declare global {
  namespace WebAssembly {
    interface Module {}
  }
  interface URL {}
  interface Response {}
  interface AbortSignal {}
}

/**
 * A build of the module, in the file `attention-<variant>.wasm`: WebAssembly's 128-bit SIMD, or relaxed SIMD with its
 * multiply-add, which most engines fuse; '-threads' over shared memory.
 */
export type Variant = 'simd' | 'relaxed-simd' | 'simd-threads' | 'relaxed-simd-threads';

/** Which build is loaded, from where, and how much it may take. */
export interface LoadOptions {
  /**
   * 'auto' (default) takes the fastest variant whose numerical self-test passes here: relaxed SIMD only where its
   * multiply-add is fused. A named one is taken or refused (UNSUPPORTED_ENGINE).
   */
  variant?: 'auto' | Variant;
  /**
   * How many threads share the work of a call, 1 to 64; results are the same bits with any number. 1 by default; 'auto'
   * by default, and at least 2, beside a named variant with threads.
   *
   * 'auto' is one for each processor where the memory can be shared and this thread may wait: in workers of pages that
   * are cross-origin isolated, in Node.js, Deno and Bun. Elsewhere it is 1, and `info.threadsReason` says why. A number
   * above 1 that cannot be had is UNSUPPORTED_ENGINE (on a page's main thread always: make the engine in a worker), and
   * INVALID_ARGUMENT beside a named variant without threads.
   *
   * Threads are workers of the script attention-threads-module.js, which must be of the same origin. Where 'auto' cannot
   * start them, or finds no module with threads, it takes one thread and says why. Where a policy has
   * require-trusted-types-for 'script', it must allow the policy name 'attention-wasm' (or have a default policy).
   */
  threads?: number | 'auto';
  /**
   * Where the script of the threads lies, attention-threads-module.js: for a package on another origin (browsers start
   * workers of a page's own alone) and for one that is bundled into a single script. An address; relative ones are read
   * against the page's. It is asked for where there is more than one thread. Default: the file beside this module.
   *
   * The policy 'attention-wasm' blesses the default alone: under Trusted Types another address needs a default policy.
   */
  threadScript?: string | URL;
  /**
   * The same bits in every engine, for results that are compared or hashed: takes the plain SIMD variant, which adds in
   * one fixed order and leaves no rounding to the engine. NaN is NaN everywhere, but its bits are the processor's own.
   * False by default; beside variant 'relaxed-simd' INVALID_ARGUMENT.
   */
  deterministic?: boolean;
  /**
   * Where the module's bytes come from: bundlers, CDNs, strict CSP, offline, edge. The address or the content of one
   * .wasm file, or a function from the file's name to its address. Bytes of another variant than the one named:
   * INVALID_ARGUMENT; what cannot be read or compiled: LOAD_FAILED. Default: the files beside this module; a script
   * that is bundled into one (CommonJS, IIFE, blob:) has none beside it, and says LOAD_FAILED.
   *
   * Where a host makes no code from bytes (Cloudflare Workers, edge runtimes, a policy without 'wasm-unsafe-eval'), give
   * a WebAssembly.Module. What is given is taken: this engine is not asked whether another variant would be faster.
   */
  wasm?: string | URL | ArrayBuffer | Uint8Array | Response | WebAssembly.Module | ((file: string) => string | URL);
  /**
   * Memory limit in bytes. Default and maximum 4 GiB; minimum 4 MiB plus 256 KiB for each extra thread, else
   * INVALID_ARGUMENT. A call that needs more throws OUT_OF_MEMORY, and the engine can still be used. With threads the
   * whole limit is reserved as address space; if that fails, half of it is tried, then a quarter, and so on.
   */
  maximumMemoryBytes?: number;
  /** Rejects with ABORTED, cause = signal.reason; a fetch that other loads share goes on. */
  signal?: AbortSignal;
}
