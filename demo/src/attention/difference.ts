import type { HeadData, Tile } from '../engine/protocol';
import type { Alignment } from './align';

/** What `ours` has more than `theirs`, as a picture of one cell a pair; null where a picture of either has larger cells. */
export function differenceRoot(
  ours: HeadData,
  theirs: HeadData,
  { ours: rows, theirs: others }: Alignment,
): Tile | null {
  if (!isFine(ours) || !isFine(theirs)) return null;
  const length = rows.length;
  const [own, other] = [cellsOf(ours), cellsOf(theirs)];
  const cells = new Float32Array(length * length);
  for (let r = 0; r < length; r++) {
    for (let c = 0; c < length; c++) cells[r * length + c] = own(rows[r], rows[c]) - other(others[r], others[c]);
  }
  return { rows: [0, length], columns: [0, length], size: [length, length], cells };
}

const isFine = ({ range, root }: HeadData) => root.size[0] === range[1] - range[0];

const cellsOf =
  ({ range: [first], root: { size, cells } }: HeadData) =>
  (query: number, key: number) =>
    cells[(query - first) * size[1] + key - first];
