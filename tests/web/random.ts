import { halves, sizeOf } from './oracle/values.ts';

/** A number of its own for each run, so that runs explore; ATTENTION_WASM_SEED repeats one. Suites print it. */
export const seed = Number(process.env.ATTENTION_WASM_SEED ?? Date.now() % 1_000_000_000);

/** What a package call takes: an ordinary tensor of the given element type. */
export interface Plain {
  data: Float32Array | Float64Array | Uint16Array | Int32Array | Int8Array | Uint8Array | BigInt64Array;
  shape: number[];
  dtype?: 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'int32' | 'int64' | 'bool' | 'uint8';
}

/** Float32 numbers, as most tests use. */
export type Floats = Plain & { data: Float32Array };

/** Small, seeded and good enough for tests: mulberry32. */
export class Random {
  #state: number;
  constructor(state: number) {
    this.#state = state >>> 0;
  }
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** Both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
  floats(length: number, deviation = 1): Float32Array {
    return Float32Array.from({ length }, () => this.normal() * deviation);
  }
  tensor(shape: number[], deviation = 1): Floats {
    return { data: this.floats(sizeOf(shape), deviation), shape };
  }
}

/** The same numbers as another element type; halves round them. */
export function inType(type: 'float32' | 'float64' | 'float16', { data, shape }: Floats): Plain {
  if (type === 'float64') return { data: Float64Array.from(data), shape };
  return type === 'float16' ? { data: halves(data), shape, dtype: 'float16' } : { data, shape };
}
