import { tiny } from '../attention/pairs';
import type { Block } from '../engine/mask';
import { isBright } from '../heatmap/colors';
import type { Matrix } from '../heatmap/matrix';
import { inSight, labelText, type Plot, xOf, yOf } from '../heatmap/plot';

/** Smaller weights stay colour only; the table has them all. */
const smallestNumber = 0.01;

interface Labels {
  plot: Plot;
  tokens: readonly string[];
  active: number;
}

export function RowLabels({ plot, tokens, active }: Labels) {
  return labelled(inSight(plot.window.top, plot.window.rows, tokens.length), active, plot.rowLabels).map((i) => (
    <text
      key={i}
      class={i === active ? 'label label-active' : 'label'}
      x={plot.left - 8}
      y={clamp(yOf(plot, i + 0.5), plot.top, plot.height)}
      dy="0.35em"
      text-anchor="end"
    >
      {labelText(tokens[i])}
    </text>
  ));
}

export function ColumnLabels({ plot, tokens, active }: Labels) {
  const upright = plot.columnLabels === 'upright';
  const shown = labelled(
    inSight(plot.window.left, plot.window.columns, tokens.length),
    active,
    plot.columnLabels !== 'none',
  );
  return shown.map((i) => {
    const x = clamp(xOf(plot, i + 0.5), plot.left, plot.width);
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
        {labelText(tokens[i])}
      </text>
    );
  });
}

/** All that are in sight, or the active one alone where they would collide. */
function labelled([from, to]: readonly [number, number], active: number, all: boolean): number[] {
  if (all) return Array.from({ length: to - from }, (_, i) => from + i);
  return active >= from && active < to ? [active] : [];
}

const clamp = (value: number, from: number, to: number) => Math.max(from, Math.min(to, value));

export function CellNumbers({ plot, matrix }: { plot: Plot; matrix: Matrix }) {
  if (!plot.numbers) return null;
  const [r0, r1] = inSight(plot.window.top, plot.window.rows, matrix.length);
  const [c0, c1] = inSight(plot.window.left, plot.window.columns, matrix.length);
  const numbers = [];
  for (let row = r0; row < r1; row++) {
    for (let column = c0; column < c1; column++) {
      const value = matrix.value(row, column);
      if (Math.abs(value) < smallestNumber) continue;
      numbers.push(
        <text
          key={row * matrix.length + column}
          class={isBright(matrix.scale, value) ? 'number number-dark' : 'number'}
          x={xOf(plot, column + 0.5)}
          y={yOf(plot, row + 0.5)}
          dy="0.35em"
          text-anchor="middle"
        >
          {tiny(value)}
        </text>,
      );
    }
  }
  return numbers;
}

/** The active row and column, and the cell where they meet. */
export function CellMarks({ plot, row, column }: { plot: Plot; row: number; column: number }) {
  const { left, top, width, height, cellWidth, cellHeight } = plot;
  const [x, y] = [xOf(plot, column), yOf(plot, row)];
  return (
    // A drawing in itself, so that what is out of sight is cut off.
    <svg
      aria-hidden="true"
      x={left}
      y={top}
      width={Math.max(0, width - left)}
      height={Math.max(0, height - top)}
      viewBox={`${left} ${top} ${width - left} ${height - top}`}
    >
      <rect class="band" x={left} y={y} width={width - left} height={cellHeight} />
      <rect class="band" x={x} y={top} width={cellWidth} height={height - top} />
      <rect class="cell-shade" x={x} y={y} width={cellWidth} height={cellHeight} />
      <rect class="cell" x={x} y={y} width={cellWidth} height={cellHeight} />
    </svg>
  );
}

export function BrushMark({ plot, block: { rows, columns } }: { plot: Plot; block: Block }) {
  const [x, y] = [xOf(plot, columns[0]), yOf(plot, rows[0])];
  return <rect class="brush" x={x} y={y} width={xOf(plot, columns[1]) - x} height={yOf(plot, rows[1]) - y} />;
}
