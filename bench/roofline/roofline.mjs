import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../../scripts/lib/run.mjs';

const presets = { simd: 'wasm-simd', 'relaxed-simd': 'wasm-relaxed' };
const pageBytes = 65_536;

/** What a variant could do at most: `multiply` on the register tile, and `read` memory, each doing nothing else. */
export async function loadRoofline(variant) {
  const bytes = await readFile(join(repository, 'build', presets[variant], 'bench/roofline/roofline.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes);
  const { memory, tileOperations, tilesOfPackedRows, tilesOfRowsInPlace, sum } = instance.exports;
  const buffer = memory.buffer.byteLength;
  const tile = tileOperations();
  return {
    /** About so many operations, half of them with packed rows as in Q·Kᵀ, half with rows in place as in P·V. */
    multiply: (operations) => {
      const times = Math.max(1, Math.round(operations / tile / 2));
      tilesOfPackedRows(times);
      tilesOfRowsInPlace(times);
    },
    /** The sum of the same floats each time, in memory that nothing else uses. */
    read: (byteLength) => {
      makeRoom(memory, buffer + byteLength);
      return sum(buffer, byteLength / 4);
    },
  };
}

/** Written to, since pages that never were share one page of zeros, which reads many times faster than memory does. */
function makeRoom(memory, byteLength) {
  const before = memory.buffer.byteLength;
  if (before >= byteLength) return;
  memory.grow(Math.ceil((byteLength - before) / pageBytes));
  new Uint8Array(memory.buffer, before).fill(1);
}
