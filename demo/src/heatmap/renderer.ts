import { createCanvas2dRenderer } from './canvas2d';

/** Draws a matrix of weights over the whole of its canvas. */
export interface HeatmapRenderer {
  draw(weights: Float32Array, rows: number, columns: number): void;
}

export const createRenderer: (canvas: HTMLCanvasElement) => HeatmapRenderer = createCanvas2dRenderer;
