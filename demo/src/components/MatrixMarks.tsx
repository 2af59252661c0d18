import { type Pair, tiny } from '../attention/pairs';
import { isBright } from '../heatmap/colors';
import { labelText, type Plot } from '../heatmap/plot';

/** Smaller weights stay colour only; the table has them all. */
const smallestNumber = 0.01;

interface Labels {
  plot: Plot;
  tokens: string[];
  active: number;
}

export function RowLabels({ plot, tokens, active }: Labels) {
  return tokens.map(
    (token, i) =>
      (plot.rowLabels || i === active) && (
        <text
          key={i}
          class={i === active ? 'label label-active' : 'label'}
          x={plot.left - 8}
          y={plot.top + (i + 0.5) * plot.cellHeight}
          dy="0.35em"
          text-anchor="end"
        >
          {labelText(token)}
        </text>
      ),
  );
}

export function ColumnLabels({ plot, tokens, active }: Labels) {
  const upright = plot.columnLabels === 'upright';
  return tokens.map((token, i) => {
    if (plot.columnLabels === 'none' && i !== active) return null;
    const x = plot.left + (i + 0.5) * plot.cellWidth;
    const y = plot.top - 7;
    return (
      <text
        key={i}
        class={i === active ? 'label label-active' : 'label'}
        x={x}
        y={y}
        dy={upright ? '0.35em' : undefined}
        text-anchor={upright ? 'start' : 'middle'}
        transform={upright ? `rotate(-90 ${x} ${y})` : undefined}
      >
        {labelText(token)}
      </text>
    );
  });
}

export function CellNumbers({ plot, matrix, size }: { plot: Plot; matrix: Float32Array; size: number }) {
  if (!plot.numbers) return null;
  return Array.from(matrix, (weight, i) => {
    if (weight < smallestNumber) return null;
    const x = plot.left + ((i % size) + 0.5) * plot.cellWidth;
    const y = plot.top + (Math.floor(i / size) + 0.5) * plot.cellHeight;
    return (
      <text
        key={i}
        class={isBright(weight) ? 'number number-dark' : 'number'}
        x={x}
        y={y}
        dy="0.35em"
        text-anchor="middle"
      >
        {tiny(weight)}
      </text>
    );
  });
}

/** The active row and column, and the cell where they meet. */
export function CellMarks({ plot, size, active }: { plot: Plot; size: number; active: Pair }) {
  const { left, top, cellWidth, cellHeight } = plot;
  const x = left + active.key * cellWidth;
  const y = top + active.query * cellHeight;
  return (
    <>
      <rect class="band" x={left} y={y} width={cellWidth * size} height={cellHeight} />
      <rect class="band" x={x} y={top} width={cellWidth} height={cellHeight * size} />
      <rect class="cell-shade" x={x} y={y} width={cellWidth} height={cellHeight} />
      <rect class="cell" x={x} y={y} width={cellWidth} height={cellHeight} />
    </>
  );
}
