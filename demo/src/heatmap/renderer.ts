import type { Tile } from '../engine/protocol';
import { createCanvas2dRenderer } from './canvas2d';
import type { Scale } from './colors';
import { createWebglRenderer } from './webgl';

/** The part of a matrix that fills the canvas, in cells; fractions are fine. */
export interface Window {
  top: number;
  left: number;
  rows: number;
  columns: number;
}

/** Draws tiles, coarse ones first, each over those before it. */
export interface HeatmapRenderer {
  readonly name: 'webgl2' | 'canvas2d';
  draw(tiles: readonly Tile[], window: Window): void;
  dispose(): void;
}

const isForced = new URLSearchParams(location.search).get('renderer') === 'canvas2d';

/** `onLost` when the graphics card took its context back: what is drawn with it stays blank. */
export function createRenderer(canvas: HTMLCanvasElement, scale: Scale, onLost: () => void): HeatmapRenderer {
  const webgl = isForced ? null : createWebglRenderer(canvas, scale, onLost);
  return webgl ?? createCanvas2dRenderer(canvas, scale);
}
