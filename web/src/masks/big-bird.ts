import { mix } from '../mix.js';
import { blockPlane } from './blocks.js';
import type { Rule } from './rule.js';

export interface BigBird {
  blockSize: number;
  /** Odd: as many blocks on either side. */
  window: number;
  globalBlocks: number;
  randomBlocks: number;
  seed: number;
}

/** Queries of one row of the block map meet this many rows of blocks at most. */
const rowsKept = 64;

/**
 * Window, global and random blocks (Zaheer et al. 2020, section 2). A query block's random blocks are those with the
 * smallest mix(mix(mix(seed) ^ query block) ^ key block) among the key blocks that neither the window nor the global
 * blocks give it.
 */
export function bigBird(options: BigBird): Rule {
  return {
    perBatch: false,
    perHead: false,
    over({ extent }) {
      const columns = Math.ceil(extent.keys / options.blockSize);
      const rows = new Map<number, Uint8Array>();
      return blockPlane(options.blockSize, (r) => {
        let row = rows.get(r);
        if (!row) {
          if (rows.size === rowsKept) rows.clear();
          row = blockRow(options, r, columns);
          rows.set(r, row);
        }
        return row;
      });
    },
  };
}

function blockRow({ window, globalBlocks, randomBlocks, seed }: BigBird, r: number, columns: number): Uint8Array {
  const row = new Uint8Array(columns);
  if (r < globalBlocks) return row.fill(1);
  const side = (window - 1) / 2;
  row.fill(1, 0, globalBlocks);
  row.fill(1, Math.max(0, r - side), r + side + 1);
  for (const c of randomOf(row, randomBlocks, mix(mix(seed) ^ r))) row[c] = 1;
  return row;
}

/** The `count` columns still 0 in `row` with the smallest hash; mix() is one to one, so no two are equal. */
function randomOf(row: Uint8Array, count: number, seed: number): number[] {
  if (count === 0) return [];
  const columns: number[] = [];
  for (let column = row.indexOf(0); column >= 0; column = row.indexOf(0, column + 1)) columns.push(column);
  if (count >= columns.length) return columns;
  const hashes = Uint32Array.from(columns, (column) => mix(seed ^ column));
  const largest = hashes.slice().sort()[count - 1] as number;
  return columns.filter((_, i) => (hashes[i] as number) <= largest);
}
