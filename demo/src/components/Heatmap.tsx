import { useLayoutEffect, useRef } from 'preact/hooks';
import { paint } from '../heatmap/canvas2d';
import { weightScale } from '../heatmap/colors';

interface Props {
  cells: Float32Array;
  rows: number;
  columns: number;
  scale?: typeof weightScale;
}

/** A small picture of weights, one pixel a cell. Whoever shows it also gives its numbers in words or in a table. */
export function Heatmap({ cells, rows, columns, scale = weightScale }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current && rows > 0) paint(canvas.current, cells, rows, columns, scale);
  }, [cells, rows, columns, scale]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={canvas} class="heatmap" aria-hidden="true" />;
}
