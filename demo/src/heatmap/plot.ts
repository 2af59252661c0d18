import { isolated, pieceText } from '../attention/tokens';
import type { Window } from './renderer';

/** How a labelled part of a matrix fills its frame, in CSS pixels. */
export interface Plot {
  width: number;
  height: number;
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
  /** What of the matrix is in sight, in cells. */
  window: Window;
  /** Labels that would collide are left out, all but the active one. */
  rowLabels: boolean;
  columnLabels: 'flat' | 'upright' | 'none';
  numbers: boolean;
}

const characterWidth = 6.5;
const lineHeight = 12;
const longestLabel = 10;

export function plotOf(width: number, height: number, tokens: readonly string[], window: Window): Plot {
  let longest = 0;
  for (const token of tokens) longest = Math.max(longest, Math.min(longestLabel, pieceText(token).length));
  const labelWidth = Math.ceil(longest * characterWidth) + 8;
  const left = Math.max(48, labelWidth);
  const cellWidth = (width - left) / window.columns;
  const flat = cellWidth >= labelWidth - 4;
  const columnLabels = flat ? 'flat' : cellWidth >= lineHeight ? 'upright' : 'none';
  const top = columnLabels === 'upright' ? labelWidth : 20;
  const cellHeight = (height - top) / window.rows;
  return {
    width,
    height,
    left,
    top,
    cellWidth,
    cellHeight,
    window,
    rowLabels: cellHeight >= lineHeight - 1,
    columnLabels,
    numbers: cellWidth >= 28 && cellHeight >= 13,
  };
}

export const xOf = ({ left, cellWidth, window }: Plot, column: number) => left + (column - window.left) * cellWidth;
export const yOf = ({ top, cellHeight, window }: Plot, row: number) => top + (row - window.top) * cellHeight;

/** Rows, or columns, of which any part is in sight: half-open. */
export function inSight(from: number, count: number, length: number): readonly [number, number] {
  return [Math.max(0, Math.floor(from + 1e-6)), Math.min(length, Math.ceil(from + count - 1e-6))];
}

export const wholeOf = (length: number): Window => ({ top: 0, left: 0, rows: length, columns: length });

/** Fewer cells are never shown, so that a zoom always ends at legible numbers. */
const fewestCells = 4;

/** The window `factor` times as large, with the point (row, column) staying where it is on screen. */
export function zoomed(window: Window, factor: number, row: number, column: number, length: number): Window {
  const size = (count: number) => Math.min(length, Math.max(Math.min(fewestCells, length), count * factor));
  const [rows, columns] = [size(window.rows), size(window.columns)];
  return moved(
    {
      rows,
      columns,
      top: row - ((row - window.top) * rows) / window.rows,
      left: column - ((column - window.left) * columns) / window.columns,
    },
    0,
    0,
    length,
  );
}

/** The window moved by cells, as far as there are any. */
export function moved({ top, left, rows, columns }: Window, down: number, right: number, length: number): Window {
  const inside = (from: number, count: number) => Math.max(0, Math.min(length - count, from));
  return { rows, columns, top: inside(top + down, rows), left: inside(left + right, columns) };
}

/** The window moved just so far that the cell is in sight. */
export function following(window: Window, row: number, column: number, length: number): Window {
  const step = (from: number, count: number, cell: number) =>
    cell < from ? cell - from : cell + 1 > from + count ? cell + 1 - from - count : 0;
  return moved(window, step(window.top, window.rows, row), step(window.left, window.columns, column), length);
}

export function labelText(token: string): string {
  const text = pieceText(token);
  return isolated(text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text);
}
