import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Pair } from '../attention/pairs';
import { type Plot, plotOf } from '../heatmap/plot';
import { head, lock, lockedPair, marked, matrix, pair, point, pointNowhere, unlock, view } from '../state';
import { Heatmap } from './Heatmap';
import { CellMarks, CellNumbers, ColumnLabels, RowLabels } from './MatrixMarks';

const steps: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The heatmap with its labels. The pointer reads cells and a click locks one; the arrow keys move the locked one. */
export function MatrixPlot() {
  const { tokens } = view.value;
  const { layer, head: index } = head.value;
  const frame = useRef<HTMLDivElement>(null);
  const plot = usePlot(frame, tokens);
  const size = tokens.length;
  const current = pair.value ?? { query: 0, key: 0 };
  const active = marked.value ?? current;

  const cellAt = (event: PointerEvent | MouseEvent): Pair | null => {
    if (!plot) return null;
    const bounds = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const key = Math.floor((event.clientX - bounds.left - plot.left) / plot.cellWidth);
    const query = Math.floor((event.clientY - bounds.top - plot.top) / plot.cellHeight);
    return query >= 0 && query < size && key >= 0 && key < size ? { query, key } : null;
  };
  const onPointerMove = (event: PointerEvent) => {
    const cell = cellAt(event);
    if (cell) point(cell.query, cell.key);
    else pointNowhere();
  };
  const onClick = (event: MouseEvent) => {
    const cell = cellAt(event);
    if (!cell) return;
    const isLocked = lockedPair.value?.query === cell.query && lockedPair.value.key === cell.key;
    if (isLocked) unlock();
    else lock(cell);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const inside = (i: number) => Math.min(size - 1, Math.max(0, i));
    lock({ query: inside(current.query + step[0]), key: inside(current.key + step[1]) });
  };

  return (
    <div
      ref={frame}
      class="plot"
      role="application"
      aria-roledescription="attention matrix"
      aria-label={`Layer ${layer}, head ${index}: ${size} by ${size} weights. Arrow keys move the locked cell.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the locked cell
      tabIndex={0}
      data-testid="matrix"
      onPointerMove={onPointerMove}
      onPointerLeave={pointNowhere}
      onClick={onClick}
      onKeyDown={onKeyDown}
    >
      {plot && (
        <>
          <div
            class="plot-cells"
            style={{
              left: `${plot.left}px`,
              top: `${plot.top}px`,
              width: `${plot.cellWidth * size}px`,
              height: `${plot.cellHeight * size}px`,
            }}
          >
            <Heatmap weights={matrix.value} rows={size} columns={size} />
          </div>
          <svg class="plot-marks" width={plot.width} height={plot.height} aria-hidden="true">
            <RowLabels plot={plot} tokens={tokens} active={active.query} />
            <ColumnLabels plot={plot} tokens={tokens} active={active.key} />
            <CellNumbers plot={plot} matrix={matrix.value} size={size} />
            <CellMarks plot={plot} size={size} active={active} />
          </svg>
        </>
      )}
    </div>
  );
}

function usePlot(frame: { current: HTMLElement | null }, tokens: string[]): Plot | null {
  const [space, setSpace] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measure = () => setSpace({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return space && space.height > 0 ? plotOf(space.width, space.height, tokens) : null;
}
