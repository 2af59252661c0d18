/**
 * A mask compiled for one call: which 64×64 blocks of pairs attend as a whole, which in part, which not at all.
 *
 * A block map is an array of int32 words. Queries and keys count plainly here, from 0.
 *
 *     [0] batches   1 where all batch entries are alike, else B
 *     [1] heads     1 where all heads are alike, else H
 *     [2] rows      of blocks, over all planes
 *     [3] runs
 *     [4] patterns
 *     planes        batches·heads words: the first row of batch entry b, head h is at b·heads + h. Entries may have
 *                   different numbers of rows.
 *     rowStart      rows + 1 words: each row's first run
 *     runs          3 words each: first key block, end key block (half-open), pattern
 *     patterns      128 words each, as bits.ts has them
 *
 * A run of pattern -1 says that all pairs of its blocks attend; any other run is one block with the pattern of that
 * index. Runs of a row are sorted and do not overlap, neighbouring full blocks are one run, and blocks of no run attend
 * to nothing. At the edges only the pairs that exist count, and bits beyond them are 0.
 */
import { AttentionError } from '../errors.js';
import { type Bits, blockSize, countBits, emptyBits, setRow } from './bits.js';
import { Patterns } from './patterns.js';
import type { Call, Extent, Plane, Range, Rule } from './rule.js';

export const headerWords = 5;
export const runWords = 3;
export const everyPair = -1;

/** Rows of 2^30 queries: more than the memory of WebAssembly holds vectors for. */
const mostRows = 2 ** 24;

export function checkRows(argument: string, rows: number): void {
  if (rows <= mostRows) return;
  const message = `a map of ${rows} rows of blocks does not fit, wanted at most ${mostRows}`;
  throw new AttentionError('OUT_OF_MEMORY', argument, message);
}

export function compile(rule: Rule, { extents, heads, argument }: Call): Int32Array {
  const rows = extents.reduce((sum, { queries }) => sum + Math.max(1, Math.ceil(queries / blockSize)), 0) * heads;
  checkRows(argument, rows);
  const writer = new Writer();
  extents.forEach((extent, batch) => {
    for (let head = 0; head < heads; head++) {
      writer.startPlane();
      compilePlane(rule.over({ batch, head, extent }), extent, writer);
    }
  });
  return writer.finish(extents.length, heads);
}

function compilePlane(plane: Plane, { queries, keys, offset }: Extent, writer: Writer): void {
  const block = new BlockBits();
  for (let row = 0; row < queries; row += blockSize) {
    const positions = { first: row + offset, end: Math.min(row + blockSize, queries) + offset };
    writer.startRow();
    if (keys > 0) cover(0, Math.ceil(keys / blockSize));

    /** By halves, so that long stretches that are empty or full are seen at once. */
    function cover(first: number, end: number): void {
      const range = { first: first * blockSize, end: Math.min(end * blockSize, keys) };
      const coverage = plane.coverage(positions, range);
      if (coverage === 'empty') return;
      if (coverage === 'full') {
        writer.full(first, end);
      } else if (end - first > 1) {
        const middle = (first + end) >> 1;
        cover(first, middle);
        cover(middle, end);
      } else {
        const count = block.fill(plane, positions, range);
        if (count === (positions.end - positions.first) * (range.end - range.first)) writer.full(first, end);
        else if (count > 0) writer.partial(first, block.bits);
      }
    }
  }
}

/** The bits of one block after another. */
class BlockBits {
  readonly bits: Bits = emptyBits();
  readonly #marks = new Uint8Array(blockSize);

  /** Returns how many pairs attend. */
  fill(plane: Plane, queries: Range, keys: Range): number {
    this.bits.fill(0);
    for (let query = queries.first; query < queries.end; query++) {
      this.#marks.fill(0);
      plane.mark(query, keys, this.#marks);
      setRow(this.bits, query - queries.first, this.#marks, keys.end - keys.first);
    }
    return countBits(this.bits);
  }
}

class Writer {
  readonly #planes: number[] = [];
  readonly #rowStart: number[] = [];
  readonly #runs: number[] = [];
  readonly #patterns = new Patterns();

  startPlane(): void {
    this.#planes.push(this.#rowStart.length);
  }

  startRow(): void {
    this.#rowStart.push(this.#runs.length / runWords);
  }

  full(first: number, end: number): void {
    const runs = this.#runs;
    const last = runs.length - runWords;
    const isOfThisRow = last / runWords >= (this.#rowStart.at(-1) as number);
    if (isOfThisRow && runs[last + 1] === first && runs[last + 2] === everyPair) runs[last + 1] = end;
    else runs.push(first, end, everyPair);
  }

  partial(block: number, bits: Bits): void {
    this.#runs.push(block, block + 1, this.#patterns.indexOf(bits));
  }

  finish(batches: number, heads: number): Int32Array {
    const runs = this.#runs.length / runWords;
    const parts = [
      [batches, heads, this.#rowStart.length, runs, this.#patterns.count],
      this.#planes,
      [...this.#rowStart, runs],
      this.#runs,
    ];
    const head = parts.reduce((sum, part) => sum + part.length, 0);
    const words = new Int32Array(head + this.#patterns.words);
    let at = 0;
    for (const part of parts) {
      words.set(part, at);
      at += part.length;
    }
    this.#patterns.writeTo(words, at);
    return words;
  }
}
