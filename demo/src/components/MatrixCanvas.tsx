import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { fetchTile, type Matrix } from '../heatmap/matrix';
import type { Plot } from '../heatmap/plot';
import { createRenderer, type HeatmapRenderer } from '../heatmap/renderer';
import { Tiles } from '../heatmap/tiles';

/** The cells of a plot, drawn at the screen's own pixels. */
export function MatrixCanvas({ matrix, plot }: { matrix: Matrix; plot: Plot }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const renderer = useRef<HeatmapRenderer | null>(null);
  const [, redraw] = useState(0);
  // A lost context cannot be drawn on again; a new canvas takes the place of the old one.
  const [generation, setGeneration] = useState(0);
  const { root, length, serial, source, scale } = matrix;
  const tiles = useMemo(
    () =>
      new Tiles(
        { root, range: [0, length] },
        (tile) => fetchTile(matrix, tile),
        () => redraw((count) => count + 1),
      ),
    [root, serial, source],
  );
  const width = Math.max(1, plot.width - plot.left);
  const height = Math.max(1, plot.height - plot.top);

  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    renderer.current = createRenderer(element, scale, () => setGeneration((count) => count + 1));
    element.dataset.renderer = renderer.current.name;
    return () => renderer.current?.dispose();
  }, [scale, generation]);

  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !renderer.current) return;
    const [w, h] = [width, height].map((pixels) => Math.round(pixels * devicePixelRatio));
    if (element.width !== w) element.width = w;
    if (element.height !== h) element.height = h;
    renderer.current.draw(tiles.visible(plot.window, w, h), plot.window);
    element.dataset.complete = String(tiles.isComplete);
  });

  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
    <canvas
      key={generation}
      ref={canvas}
      class="plot-cells"
      aria-hidden="true"
      style={{ left: `${plot.left}px`, top: `${plot.top}px`, width: `${width}px`, height: `${height}px` }}
    />
  );
}
