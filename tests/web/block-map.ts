import { expect } from 'vitest';
import type { Fit } from './mask-builders.ts';

/**
 * The pairs of a block map by batch entry and head, its words read as their description says and everything that the
 * description promises checked.
 */
export function decode(words: Int32Array, { extents, heads }: Fit): Uint8Array[][] {
  const [batches, mapHeads, rows, runs, patterns] = words as unknown as [number, number, number, number, number];
  expect([1, extents.length]).toContain(batches);
  expect([1, heads]).toContain(mapHeads);
  const planes = words.subarray(5, 5 + batches * mapHeads);
  const rowStart = words.subarray(5 + planes.length, 5 + planes.length + rows + 1);
  const runsAt = 5 + planes.length + rows + 1;
  const patternsAt = runsAt + 3 * runs;
  expect(words.length).toBe(patternsAt + 128 * patterns);
  expect(rowStart[rows]).toBe(runs);
  const all = Array.from({ length: patterns }, (_, i) =>
    words.subarray(patternsAt + 128 * i, patternsAt + 128 * (i + 1)).join(),
  );
  expect(new Set(all).size).toBe(patterns);

  const used = new Set<number>();
  const pairs = extents.map(({ queries, keys }, b) =>
    Array.from({ length: heads }, (_, h) => {
      const out = new Uint8Array(queries * keys);
      const firstRow = planes[(batches === 1 ? 0 : b) * mapHeads + (mapHeads === 1 ? 0 : h)] as number;
      for (let row = 0; row * 64 < queries; row++) {
        let before = 0;
        let wasFull = false;
        for (let run = rowStart[firstRow + row] as number; run < (rowStart[firstRow + row + 1] as number); run++) {
          const [first, end, pattern] = words.subarray(runsAt + 3 * run) as unknown as [number, number, number];
          expect(end).toBeGreaterThan(first);
          expect(first).toBeGreaterThanOrEqual(before);
          expect(end).toBeLessThanOrEqual(Math.ceil(keys / 64));
          if (pattern === -1) expect(wasFull && before === first, 'neighbouring full runs').toBe(false);
          else expect([end - first, pattern >= 0 && pattern < patterns]).toEqual([1, true]);
          before = end;
          wasFull = pattern === -1;
          if (pattern >= 0) used.add(pattern);

          let set = 0;
          let there = 0;
          for (let r = 0; r < 64; r++) {
            for (let j = first * 64; j < end * 64; j++) {
              const word = patternsAt + 128 * pattern + 2 * r + ((j & 63) >> 5);
              const bit = pattern === -1 ? 1 : ((words[word] as number) >>> (j & 31)) & 1;
              if (row * 64 + r < queries && j < keys) {
                out[(row * 64 + r) * keys + j] = bit;
                there++;
                set += bit;
              } else if (pattern !== -1 && bit === 1) throw new Error(`a bit beyond the edge: row ${r}, key ${j}`);
            }
          }
          if (pattern !== -1) expect(set > 0 && set < there, 'a pattern for an empty or a full block').toBe(true);
        }
      }
      return out;
    }),
  );
  expect(used.size).toBe(patterns);
  return pairs;
}
