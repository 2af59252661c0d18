import { useLayoutEffect, useRef } from 'preact/hooks';
import { createRenderer, type HeatmapRenderer } from '../heatmap/renderer';

interface Props {
  weights: Float32Array;
  rows: number;
  columns: number;
}

/** A picture of weights. Whoever shows it also gives its numbers in words or in a table. */
export function Heatmap({ weights, rows, columns }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const renderer = useRef<HeatmapRenderer>(null);
  useLayoutEffect(() => {
    if (!canvas.current || rows === 0) return;
    renderer.current ??= createRenderer(canvas.current);
    renderer.current.draw(weights, rows, columns);
  }, [weights, rows, columns]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={canvas} class="heatmap" aria-hidden="true" />;
}
