import type { Tile } from '../engine/protocol';

export interface Change {
  row: number;
  column: number;
  value: number;
}

interface Differences {
  length: number;
  /** Of each block the difference furthest from none. */
  root: Tile;
  value(row: number, column: number): number;
}

/** Smaller ones are the rounding of the engine. */
const smallest = 1e-4;

/** The cells that differ most, the largest change first; of a block of a large matrix only its largest. */
export function largestChanges({ length, root, value }: Differences, count: number): Change[] {
  const { cells, size } = root;
  const best: number[] = [];
  const extent = (cell: number) => Math.abs(cells[cell]);
  for (let cell = 0; cell < cells.length; cell++) {
    if (!(extent(cell) >= smallest)) continue;
    if (best.length === count && extent(cell) <= extent(best[count - 1])) continue;
    let at = best.length;
    while (at > 0 && extent(best[at - 1]) < extent(cell)) at--;
    best.splice(at, 0, cell);
    best.length = Math.min(best.length, count);
  }
  return best.map((cell) => {
    const [r, c] = [Math.floor(cell / size[1]), cell % size[1]];
    return largestOf(cut(length, size[0], r), cut(length, size[1], c), value);
  });
}

function largestOf(rows: readonly [number, number], columns: readonly [number, number], value: Differences['value']) {
  let largest: Change = { row: rows[0], column: columns[0], value: 0 };
  for (let row = rows[0]; row < rows[1]; row++) {
    for (let column = columns[0]; column < columns[1]; column++) {
      const one = value(row, column);
      if (Math.abs(one) > Math.abs(largest.value)) largest = { row, column, value: one };
    }
  }
  return largest;
}

const cut = (length: number, parts: number, part: number) =>
  [Math.floor((part * length) / parts), Math.floor(((part + 1) * length) / parts)] as const;

/** With its sign, also where it is above 0; none for no change. */
export function signed(value: number, digits = 3): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}
