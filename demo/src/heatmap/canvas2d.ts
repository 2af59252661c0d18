import { colorIndex, pixels } from './colors';
import type { HeatmapRenderer } from './renderer';

/** One canvas pixel per cell; the style sheet scales them up without smoothing. */
export function createCanvas2dRenderer(canvas: HTMLCanvasElement): HeatmapRenderer {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser gave no 2D canvas to draw on.');
  return {
    draw(weights, rows, columns) {
      canvas.width = columns;
      canvas.height = rows;
      const image = context.createImageData(columns, rows);
      const target = new Uint32Array(image.data.buffer);
      for (let i = 0; i < weights.length; i++) target[i] = pixels[colorIndex(weights[i])];
      context.putImageData(image, 0, 0);
    },
  };
}
