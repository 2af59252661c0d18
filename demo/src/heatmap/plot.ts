import { pieceText } from '../attention/tokens';

/** How a labelled matrix fills its frame, in CSS pixels. */
export interface Plot {
  width: number;
  height: number;
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
  /** Labels that would collide are left out, all but the active one. */
  rowLabels: boolean;
  columnLabels: 'flat' | 'upright' | 'none';
  numbers: boolean;
}

const characterWidth = 6.5;
const lineHeight = 12;
const longestLabel = 10;

export function plotOf(width: number, height: number, tokens: string[]): Plot {
  const size = tokens.length;
  const longest = Math.min(longestLabel, Math.max(...tokens.map((token) => pieceText(token).length)));
  const labelWidth = Math.ceil(longest * characterWidth) + 8;
  const left = Math.max(48, labelWidth);
  const cellWidth = (width - left) / size;
  const flat = cellWidth >= labelWidth - 4;
  const columnLabels = flat ? 'flat' : cellWidth >= lineHeight ? 'upright' : 'none';
  const top = columnLabels === 'upright' ? labelWidth : 20;
  const cellHeight = (height - top) / size;
  return {
    width,
    height,
    left,
    top,
    cellWidth,
    cellHeight,
    rowLabels: cellHeight >= lineHeight - 1,
    columnLabels,
    numbers: cellWidth >= 28 && cellHeight >= 13,
  };
}

export function labelText(token: string): string {
  const text = pieceText(token);
  return text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text;
}
