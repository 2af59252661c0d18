/** The Emscripten glue; hand-written because Emscripten 3.1.69 cannot emit it. */

/** The functions of cpp/bindings/bindings.cpp. Those that compute return an ErrorCode, errors the address of a text. */
export interface Core {
  callAddress(): number;
  stage(bytes: number): number;
  finishCall(): void;
  /** The call that follows does so many items more of the same work, until finishCall(). */
  nextPart(items: number): void;
  /** Of the latest part: 0 of 0 where the call has none. */
  itemsDone(): number;
  itemsInAll(): number;
  highWater(): number;
  allocate(bytes: number): number;
  release(address: number): void;
  errorArgument(): number;
  errorMessage(): number;
  isRelaxed(): boolean;
  /** Of the threaded variants alone: the number of threads, this one among them. */
  startThreads?(count: number): boolean;
  attention(): number;
  variableLengthAttention(): number;
  projectedAttention(): number;
  /** An address, as that of a fork; 0 where there is no memory. */
  createCache(
    batch: number,
    numKvHeads: number,
    headDim: number,
    valueDim: number,
    capacity: number,
    window: number,
    sinkTokens: number,
    dtype: number,
  ): number;
  forkCache(cache: number): number;
  releaseCache(cache: number): void;
  cacheLength(cache: number): number;
  cacheBytes(cache: number): number;
  cacheAppend(): number;
  cacheAttend(): number;
  truncateCache(cache: number, length: number): number;
  reorderCache(cache: number): number;
  readCache(cache: number): number;
  saveCache(cache: number): number;
  loadCache(cache: number): number;
  attentionMap(): number;
  linearAttention(): number;
  toFloat32(): number;
  softmax(axis: number): number;
  layerNorm(axis: number, epsilon: number): number;
  rmsNorm(axis: number, epsilon: number): number;
  activation(kind: number): number;
  binary(kind: number): number;
  l2Normalize(axis: number, epsilon: number): number;
  /** Of the first `count` operands. */
  concat(count: number, axis: number): number;
  slice(axis: number, begin: number, end: number): number;
  linear(): number;
  packPanels(outputs: number, inputs: number, panels: number, first: number): number;
  /** 0 where they are more than memory has. */
  panelFloats(outputs: number, inputs: number, panels: number): number;
  embedding(): number;
  feedForward(activation: number): number;
  sinusoidalPositions(length: number, size: number, offset: number, base: number): number;
  rotaryEmbedding(): number;
  rolloutStep(fusion: number, residual: number): number;
  alibiSlope(head: number, heads: number): number;
}

export interface Settings {
  wasmMemory: WebAssembly.Memory;
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}

export default function createModule(settings: Settings): Promise<Core>;
