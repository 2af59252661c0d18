/**
 * Inputs that are the same in every engine: made of integers and divisions by powers of two, without the functions of
 * Math whose last bits engines choose for themselves. The integers are mulberry32's.
 */
export class Numbers {
  #state;
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  #word() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** Both ends included. */
  integer(low, high) {
    return low + (this.#word() % (high - low + 1));
  }
  chance(probability) {
    return this.#word() < probability * 2 ** 32;
  }
  pick(choices) {
    return choices[this.#word() % choices.length];
  }

  /** Between -size and size, those near 0 more often; `size` a power of two. */
  tensor(shape, size = 1) {
    const value = () => (this.#word() / 2 ** 32 + this.#word() / 2 ** 32 - 1) * size;
    return { data: Float32Array.from({ length: count(shape) }, value), shape };
  }
  /** Halves of either sign from 2⁻³ to 2, as their bits. */
  halves(shape) {
    const bits = () => (this.chance(0.5) ? 0x8000 : 0) | this.integer(0x3000, 0x4000);
    return { data: Uint16Array.from({ length: count(shape) }, bits), shape, dtype: 'float16' };
  }
  bytes(shape) {
    return { data: Int8Array.from({ length: count(shape) }, () => this.integer(-128, 127)), shape };
  }
  /** Any bits under exponents of this kind, a tenth of them with none: infinities and zeros. */
  ofKind(kind, shape) {
    const words = Uint32Array.from({ length: count(shape) }, () => {
      const word = (this.#word() & 0x807fffff) | (this.pick(exponents[kind]) << 23);
      return this.chance(0.1) ? word & 0xff800000 : word;
    });
    return { data: new Float32Array(words.buffer), shape };
  }
  /** Zeros and other bytes. */
  bools(shape, keep = 0.7) {
    const bit = () => (this.chance(keep) ? this.integer(1, 255) : 0);
    return { data: Uint8Array.from({ length: count(shape) }, bit), shape, dtype: 'bool' };
  }
}

/** As the bits have them: 0 is of zeros and subnormal numbers, 127 of 1 to 2, 255 of infinities and NaN. */
const exponents = {
  subnormal: [0],
  small: [0, 1, 2, 30, 63, 64],
  usual: [0, 64, 100, 120, 124, 126, 127, 128],
  huge: [127, 190, 220, 253, 254],
  any: [0, 1, 64, 100, 126, 127, 128, 130, 254, 255],
};

export const count = (shape) => shape.reduce((product, n) => product * n, 1);
