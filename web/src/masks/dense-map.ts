import { bitAt, blockSize, countBits, wordsPerBlock } from './bits.js';
import { everyPair, headerWords, runWords } from './block-map.js';

/** Reads a block map (block-map.ts) whose planes are all of `queries` × `keys` pairs. */
export class DenseMap {
  readonly #words: Int32Array;
  readonly #queries: number;
  readonly #keys: number;

  constructor(words: Int32Array, queries: number, keys: number) {
    this.#words = words;
    this.#queries = queries;
    this.#keys = keys;
  }

  /** Share of the pairs that attend; 0 of none. */
  density(): number {
    const [batches = 0, heads = 0] = this.#words;
    const pairs = batches * heads * this.#queries * this.#keys;
    if (pairs === 0) return 0;
    let count = 0;
    for (let plane = 0; plane < batches * heads; plane++) {
      this.#eachRun(plane, (row, first, end, pattern) => {
        const { rows, columns } = this.#extent(row, first, end);
        count += pattern === everyPair ? rows * columns : countBits(this.#pattern(pattern));
      });
    }
    return count / pairs;
  }

  /** [batch, heads, queries, keys], 1 where a pair attends, into zeros. */
  expand(batch: number, heads: number, out: Uint8Array): void {
    const [mapBatches, mapHeads = 0] = this.#words;
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        const plane = (mapBatches === 1 ? 0 : b) * mapHeads + (mapHeads === 1 ? 0 : h);
        this.#expandPlane(plane, out, (b * heads + h) * this.#queries * this.#keys);
      }
    }
  }

  #expandPlane(plane: number, out: Uint8Array, start: number): void {
    this.#eachRun(plane, (row, first, end, pattern) => {
      const bits = pattern === everyPair ? undefined : this.#pattern(pattern);
      const { rows, columns } = this.#extent(row, first, end);
      for (let r = 0; r < rows; r++) {
        const at = start + (row * blockSize + r) * this.#keys + first * blockSize;
        if (!bits) out.fill(1, at, at + columns);
        else for (let c = 0; c < columns; c++) out[at + c] = bitAt(bits, r, c);
      }
    });
  }

  #eachRun(plane: number, visit: (row: number, first: number, end: number, pattern: number) => void): void {
    const words = this.#words;
    const rowStart = headerWords + this.#planes;
    const runs = rowStart + (words[2] as number) + 1;
    const firstRow = words[headerWords + plane] as number;
    for (let row = 0; row * blockSize < this.#queries; row++) {
      const end = words[rowStart + firstRow + row + 1] as number;
      for (let run = words[rowStart + firstRow + row] as number; run < end; run++) {
        const at = runs + run * runWords;
        visit(row, words[at] as number, words[at + 1] as number, words[at + 2] as number);
      }
    }
  }

  get #planes(): number {
    const [batches = 0, heads = 0] = this.#words;
    return batches * heads;
  }

  #pattern(index: number): Int32Array {
    const [, , rows = 0, runs = 0] = this.#words;
    const at = headerWords + this.#planes + rows + 1 + runs * runWords + index * wordsPerBlock;
    return this.#words.subarray(at, at + wordsPerBlock);
  }

  /** The pairs that exist in these blocks. */
  #extent(row: number, first: number, end: number): { rows: number; columns: number } {
    return {
      rows: Math.min(blockSize, this.#queries - row * blockSize),
      columns: Math.min(end * blockSize, this.#keys) - first * blockSize,
    };
  }
}
