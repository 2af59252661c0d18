import type { Tile } from '../engine/protocol';
import { colorIndex, type Scale } from './colors';
import { Kept } from './kept';
import type { HeatmapRenderer } from './renderer';

/** Each tile becomes a picture of one pixel a cell, which the canvas scales without smoothing. */
export function createCanvas2dRenderer(canvas: HTMLCanvasElement, scale: Scale): HeatmapRenderer {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser gave no 2D canvas to draw on.');
  const pictures = new Kept((tile: Tile) => pictureOf(tile, scale));
  return {
    name: 'canvas2d',
    draw(tiles, { top, left, rows, columns }) {
      context.imageSmoothingEnabled = false;
      context.clearRect(0, 0, canvas.width, canvas.height);
      const [x, y] = [canvas.width / columns, canvas.height / rows];
      for (const tile of tiles) {
        const {
          rows: [r0, r1],
          columns: [c0, c1],
        } = tile;
        context.drawImage(pictures.get(tile), (c0 - left) * x, (r0 - top) * y, (c1 - c0) * x, (r1 - r0) * y);
      }
    },
    dispose() {},
  };
}

/** A canvas of its own, one pixel a cell. */
export function pictureOf({ size: [rows, columns], cells }: Tile, scale: Scale): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  paint(canvas, cells, rows, columns, scale);
  return canvas;
}

export function paint(
  canvas: HTMLCanvasElement,
  cells: Float32Array,
  rows: number,
  columns: number,
  scale: Scale,
): void {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  if (!context || cells.length === 0) return;
  const image = context.createImageData(columns, rows);
  const target = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length; i++) target[i] = scale.pixels[colorIndex(scale, cells[i])];
  context.putImageData(image, 0, 0);
}
