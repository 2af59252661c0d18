import { type Floats, Random } from './random.ts';

/** Makes a checkpoint tensor by tensor from one seed, by the names Hugging Face gives them. */
export class Maker {
  readonly tensors: Record<string, Floats> = {};
  readonly #random: Random;
  constructor(seed: number) {
    this.#random = new Random(seed);
  }
  tensor(name: string, shape: number[], deviation = 1): void {
    this.tensors[name] = this.#random.tensor(shape, deviation);
  }
  /** A linear layer [out,in]: what comes out is as large as what goes in, and a half more unless `gain` says otherwise. */
  dense(name: string, out: number, from: number, { bias = true, gain = 1.5 } = {}): void {
    this.tensor(`${name}.weight`, [out, from], gain * from ** -0.5);
    if (bias) this.tensor(`${name}.bias`, [out], 0.3);
  }
  /** The same, multiplied from the right. */
  conv1d(name: string, from: number, out: number): void {
    this.tensor(`${name}.weight`, [from, out], 1.5 * from ** -0.5);
    this.tensor(`${name}.bias`, [out], 0.3);
  }
  /** A last norm with scales of either sign: else a head that is the token table mostly repeats the token it was given. */
  mixing(name: string, size: number): void {
    this.tensor(`${name}.weight`, [size], 1.5);
    this.tensor(`${name}.bias`, [size], 0.3);
  }
  /** Scales around 1. */
  norm(name: string, size: number, bias = true): void {
    this.tensors[`${name}.weight`] = { data: this.#random.floats(size, 0.5).map((x) => x + 1), shape: [size] };
    if (bias) this.tensor(`${name}.bias`, [size], 0.3);
  }
}
