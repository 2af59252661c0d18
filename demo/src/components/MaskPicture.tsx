import { useMemo } from 'preact/hooks';
import { isAttended } from '../attention/weights';
import type { HeadData } from '../engine/protocol';
import { Heatmap } from './Heatmap';

/** Of a long text every so many tokens. */
const mostCells = 96;

/** Who attends to whom, small; the numbers beside it say the same in words. */
export function MaskPicture({ head }: { head: HeadData }) {
  const { size, mask, isCausal } = head;
  const side = Math.min(mostCells, size);
  const cells = useMemo(() => {
    const place = (cell: number) => Math.floor((cell * size) / side);
    return Float32Array.from({ length: side * side }, (_, i) =>
      Number(isAttended(head, place(Math.floor(i / side)), place(i % side))),
    );
  }, [mask, isCausal, size, side, head.range[0], head.range[1]]);
  return (
    <div class="mask-picture">
      <Heatmap cells={cells} rows={side} columns={side} />
      <p class="hint">Bright pairs attend. Rows are queries, columns are keys.</p>
    </div>
  );
}
