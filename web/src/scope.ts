import { type Engine, ndArray } from './engine.js';
import { AttentionError, invalid } from './errors.js';
import { ResidentTensor } from './tensor.js';
import type { ResultsOf } from './types.js';

/** Results that stay in an engine's memory until the scope ends. */
export class Scope {
  readonly #engine: Engine;
  readonly #tensors: ResidentTensor[] = [];
  #ended = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A tensor that the scope disposes. */
  readonly keep = (address: number, shape: readonly number[]): ResidentTensor => {
    const tensor = new ResidentTensor(this.#engine, address, shape, 'float32');
    if (this.#ended) {
      tensor.dispose();
      throw new AttentionError('DISPOSED', undefined, 'this scope has ended');
    }
    this.#tensors.push(tensor);
    return tensor;
  };

  /** Runs `work`, copies what it returns out, and gives everything back. */
  run<T>(work: () => T): ResultsOf<T> {
    try {
      const value = work();
      if (typeof (value as PromiseLike<unknown> | undefined)?.then === 'function') {
        throw invalid('work', value, 'a function that returns its results: the scope ends when it returns');
      }
      return copied(value) as ResultsOf<T>;
    } finally {
      this.#ended = true;
      for (const tensor of this.#tensors) tensor.dispose();
    }
  }
}

/** Float32 tensors, also in arrays and plain objects, become NdArrays; all else stays what it is. */
function copied(value: unknown): unknown {
  if (value instanceof ResidentTensor) {
    return value.dtype === 'float32'
      ? ndArray(value.data.slice() as Float32Array<ArrayBuffer>, [...value.shape])
      : value;
  }
  if (Array.isArray(value)) return value.map(copied);
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return value; // an object of some class
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, copied(one)]));
}
