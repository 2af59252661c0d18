import { fromPositionZero, keysEnd, misfit, type Plane, positionsEnd, type Rule } from './rule.js';

/**
 * Query p and key j attend where `row(floor(p/blockSize))` is not 0 at floor(j/blockSize).
 */
export function blockPlane(blockSize: number, row: (block: number) => Uint8Array): Plane {
  const blockOf = (at: number) => Math.floor(at / blockSize);
  return fromPositionZero({
    coverage(queries, keys) {
      const from = blockOf(keys.first);
      const last = blockOf(keys.end - 1);
      const expected = row(blockOf(queries.first))[from];
      for (let r = blockOf(queries.first); r <= blockOf(queries.end - 1); r++) {
        const blocks = row(r);
        for (let c = from; c <= last; c++) if (blocks[c] !== expected) return 'partial';
      }
      return expected === 1 ? 'full' : 'empty';
    },
    mark(query, keys, marks) {
      const blocks = row(blockOf(query));
      for (let c = blockOf(keys.first); c * blockSize < keys.end; c++) {
        if (blocks[c] === 1) marks.fill(1, Math.max(0, c * blockSize - keys.first), (c + 1) * blockSize - keys.first);
      }
    },
  });
}

/** A table [B or 1, H or 1, block rows, block columns], of ones and zeros. */
export function blockSparse(table: Uint8Array, shape: readonly [number, number, number, number], size: number): Rule {
  const [batch, heads, rows, columns] = shape;
  return {
    perBatch: batch !== 1,
    perHead: heads !== 1,
    check(call) {
      const wantedRows = Math.ceil(positionsEnd(call) / size);
      const wantedColumns = Math.ceil(keysEnd(call) / size);
      const fits =
        (batch === 1 || batch === call.extents.length) &&
        (heads === 1 || heads === call.heads) &&
        rows >= wantedRows &&
        columns >= wantedColumns;
      if (fits) return;
      throw misfit(
        call.argument,
        `blocks of ${size} [${shape}]`,
        `[B or 1, H or 1, at least ${wantedRows}, at least ${wantedColumns}] with B = ${call.extents.length}, H = ${call.heads}`,
      );
    },
    over({ batch: b, head: h }) {
      const start = ((batch === 1 ? 0 : b) * heads + (heads === 1 ? 0 : h)) * rows;
      return blockPlane(size, (r) => table.subarray((start + r) * columns, (start + r + 1) * columns));
    },
  };
}
