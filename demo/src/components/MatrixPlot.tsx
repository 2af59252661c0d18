import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Pair } from '../attention/pairs';
import type { Matrix } from '../heatmap/matrix';
import { following, moved, type Plot, plotOf, wholeOf, zoomed } from '../heatmap/plot';
import type { Window } from '../heatmap/renderer';
import { brush, matrixWindow } from '../state/matrix';
import { lock, lockedPair, marked, pair, point, pointNowhere, unlock } from '../state/pairs';
import { MatrixCanvas } from './MatrixCanvas';
import { BrushMark, CellMarks, CellNumbers, ColumnLabels, RowLabels } from './MatrixMarks';

const steps: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
const zoomKeys: Record<string, number> = { '+': 0.5, '=': 0.5, '-': 2, '0': Number.POSITIVE_INFINITY };

/** Pixels a pointer may move and still click. */
const clickSlack = 4;

/** A cell of the matrix, fractions and all. */
interface Spot {
  row: number;
  column: number;
}

interface Drag extends Spot {
  x: number;
  y: number;
  window: Window;
  moved: boolean;
}

/**
 * A heatmap with its labels. The pointer reads cells and a click locks one; the arrow keys move the locked one. The wheel,
 * + and − zoom about the cell in question, dragging moves. With a brush, dragging marks a block instead.
 */
export function MatrixPlot({ matrix, testId = 'matrix' }: { matrix: Matrix; testId?: string }) {
  const { tokens, length } = matrix;
  const frame = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const brushed = useSignal<[Spot, Spot] | null>(null);
  const window = windowOf(length);
  const plot = usePlot(frame, tokens, window);
  const current = cellOf(matrix, pair.value);
  const active = cellOf(matrix, marked.value ?? pair.value);

  const spotAt = (event: PointerEvent | MouseEvent): Spot | null => {
    if (!plot) return null;
    const bounds = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const column = window.left + (event.clientX - bounds.left - plot.left) / plot.cellWidth;
    const row = window.top + (event.clientY - bounds.top - plot.top) / plot.cellHeight;
    const isInside = row >= window.top && column >= window.left && row < length && column < length;
    return isInside ? { row, column } : null;
  };
  const onPointerDown = (event: PointerEvent) => {
    const spot = spotAt(event);
    if (!spot || event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    drag.current = { ...spot, x: event.clientX, y: event.clientY, window, moved: false };
  };
  const pointAt = (spot: Spot | null) => {
    const at = spot && pairAt(matrix, spot);
    if (at) point(at.query, at.key);
    else pointNowhere();
  };
  const onPointerMove = (event: PointerEvent) => {
    const spot = spotAt(event);
    const from = drag.current;
    if (from && plot) {
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      const wasMoved = from.moved;
      from.moved ||= Math.hypot(dx, dy) > clickSlack;
      if (from.moved && brush.value) {
        brushed.value = spot ? [from, spot] : brushed.value;
      } else if (from.moved) {
        matrixWindow.value = moved(from.window, -dy / plot.cellHeight, -dx / plot.cellWidth, length);
        // The cell it began on stays under the pointer.
        if (!wasMoved) pointAt(from);
        return;
      }
    }
    pointAt(spot);
  };
  const onPointerUp = () => {
    if (brushed.value && brush.value) brush.value(blockOf(brushed.value, matrix.tokenAt(0) ?? 0));
    brushed.value = null;
  };
  const onClick = (event: MouseEvent) => {
    const spot = spotAt(event);
    const wasDragged = drag.current?.moved;
    drag.current = null;
    const cell = spot && pairAt(matrix, spot);
    if (!cell || wasDragged) return;
    const isLocked = lockedPair.value?.query === cell.query && lockedPair.value.key === cell.key;
    if (isLocked) unlock(cell.query);
    else lock(cell, event.shiftKey || undefined);
  };
  const zoom = (factor: number, { row, column }: Spot) => {
    const next = zoomed(window, factor, row, column, length);
    matrixWindow.value = next.rows >= length && next.columns >= length ? null : next;
  };
  // Listened to by hand: only then may it be kept from scrolling the page.
  useWheel(frame, (event) => {
    const spot = spotAt(event);
    if (!spot || (matrixWindow.value === null && event.deltaY > 0)) return;
    event.preventDefault();
    zoom(2 ** (Math.max(-120, Math.min(120, event.deltaY)) / 240), spot);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const cell = { row: Math.max(0, current.row), column: Math.max(0, current.column) };
    if (event.key in zoomKeys) {
      event.preventDefault();
      return zoom(zoomKeys[event.key], { row: cell.row + 0.5, column: cell.column + 0.5 });
    }
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const row = nextOf(matrix, cell.row, step[0]);
    const column = nextOf(matrix, cell.column, step[1]);
    const next = pairAt(matrix, { row, column });
    if (!next) return;
    lock(next);
    if (matrixWindow.value) matrixWindow.value = following(window, row, column, length);
  };

  return (
    <div
      ref={frame}
      class="plot"
      role="application"
      aria-roledescription="attention matrix"
      aria-label={`${matrix.name}: ${length} by ${length} weights. Arrow keys move the locked cell; plus, minus and zero zoom.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the locked cell
      tabIndex={0}
      data-testid={testId}
      data-zoomed={matrixWindow.value !== null}
      data-brush={brush.value !== null}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={pointNowhere}
      onClick={onClick}
      onKeyDown={onKeyDown}
    >
      {plot && (
        <>
          <MatrixCanvas matrix={matrix} plot={plot} />
          <svg class="plot-marks" width={plot.width} height={plot.height} aria-hidden="true">
            <RowLabels plot={plot} tokens={tokens} active={active.row} />
            <ColumnLabels plot={plot} tokens={tokens} active={active.column} />
            <CellNumbers plot={plot} matrix={matrix} />
            <CellMarks plot={plot} row={active.row} column={active.column} />
            {brushed.value && <BrushMark plot={plot} block={blockOf(brushed.value, 0)} />}
          </svg>
        </>
      )}
    </div>
  );
}

/** Where a pair of the text on screen stands; −1 for a token that this matrix has not. */
function cellOf({ placeOf }: Matrix, pair: Pair | null): Spot {
  if (!pair) return { row: 0, column: 0 };
  return { row: placeOf(pair.query) ?? -1, column: placeOf(pair.key) ?? -1 };
}

/** The pair of the text on screen at a spot, if that has both tokens. */
function pairAt({ tokenAt }: Matrix, { row, column }: Spot): Pair | null {
  const [query, key] = [tokenAt(Math.floor(row)), tokenAt(Math.floor(column))];
  return query === null || key === null ? null : { query, key };
}

/** The next row or column that stands for a token of the text on screen; the same where there is none. */
function nextOf({ tokenAt, length }: Matrix, place: number, step: number): number {
  if (step === 0) return place;
  for (let next = place + step; next >= 0 && next < length; next += step) if (tokenAt(next) !== null) return next;
  return place;
}

/** What is in sight of a matrix of so many cells a side: a window made for another length shows no longer what it did. */
function windowOf(length: number): Window {
  const window = matrixWindow.value;
  const fits = window !== null && window.top + window.rows <= length && window.left + window.columns <= length;
  return fits ? window : wholeOf(length);
}

function blockOf([a, b]: [Spot, Spot], offset: number) {
  const range = (from: number, to: number) =>
    [offset + Math.floor(Math.min(from, to)), offset + Math.floor(Math.max(from, to)) + 1] as const;
  return { rows: range(a.row, b.row), columns: range(a.column, b.column) };
}

function useWheel(frame: { current: HTMLElement | null }, onWheel: (event: WheelEvent) => void): void {
  const newest = useRef(onWheel);
  newest.current = onWheel;
  useLayoutEffect(() => {
    const element = frame.current;
    const listener = (event: WheelEvent) => newest.current(event);
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, [frame]);
}

function usePlot(frame: { current: HTMLElement | null }, tokens: readonly string[], window: Window): Plot | null {
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
  return space && space.height > 0 ? plotOf(space.width, space.height, tokens, window) : null;
}
