/** The values of the latest few keys: a mask meets a new shape at each step of decoding. */
export class Latest<V> {
  readonly #values = new Map<string, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** The value of `key`, made where there is none; nothing is kept of a `make` that throws. */
  get(key: string, make: () => V): V {
    const value = this.#values.has(key) ? (this.#values.get(key) as V) : make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value as string);
    return value;
  }

  forget(key: string): void {
    this.#values.delete(key);
  }
}
