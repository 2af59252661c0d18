import { type Bits, wordsPerBlock } from './bits.js';

/** Blocks' bits, each stored once: a window has a handful, whatever its length. */
export class Patterns {
  readonly #patterns: Bits[] = [];
  readonly #byHash = new Map<number, number[]>();

  get words(): number {
    return this.#patterns.length * wordsPerBlock;
  }

  get count(): number {
    return this.#patterns.length;
  }

  /** The index of these bits; they are copied where they are new. */
  indexOf(bits: Bits): number {
    const hash = hashOf(bits);
    let alike = this.#byHash.get(hash);
    if (!alike) {
      alike = [];
      this.#byHash.set(hash, alike);
    }
    const known = alike.find((index) => areEqual(this.#patterns[index] as Bits, bits));
    if (known !== undefined) return known;
    const index = this.#patterns.push(bits.slice()) - 1;
    alike.push(index);
    return index;
  }

  writeTo(words: Int32Array, start: number): void {
    this.#patterns.forEach((bits, i) => {
      words.set(bits, start + i * wordsPerBlock);
    });
  }
}

/** FNV-1a over words. */
function hashOf(bits: Bits): number {
  let hash = 0x811c9dc5;
  for (const word of bits) hash = Math.imul(hash ^ word, 0x01000193) ^ (hash >>> 15);
  return hash;
}

function areEqual(a: Bits, b: Bits): boolean {
  return a.every((word, i) => word === b[i]);
}
