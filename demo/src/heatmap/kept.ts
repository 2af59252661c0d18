/** Makes something for each key once and keeps the most recently used ones: pictures and textures of tiles. */
export class Kept<Key extends object, Value> {
  readonly #make: (key: Key) => Value;
  readonly #drop: (value: Value) => void;
  readonly #limit: number;
  readonly #values = new Map<Key, Value>();

  constructor(make: (key: Key) => Value, drop: (value: Value) => void = () => {}, limit = 64) {
    this.#make = make;
    this.#drop = drop;
    this.#limit = limit;
  }

  get(key: Key): Value {
    const value = this.#values.get(key) ?? this.#make(key);
    // A map gives its entries in the order they were set.
    this.#values.delete(key);
    this.#values.set(key, value);
    for (const [oldest, old] of this.#values) {
      if (this.#values.size <= this.#limit) break;
      this.#values.delete(oldest);
      this.#drop(old);
    }
    return value;
  }

  clear(): void {
    for (const value of this.#values.values()) this.#drop(value);
    this.#values.clear();
  }
}
