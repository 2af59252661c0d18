import { type Alignment, counterparts } from '../attention/align';
import { placeText } from '../attention/describe';
import { weightOf } from '../attention/weights';
import type { HeadData, Tile, TileSource } from '../engine/protocol';
import { currentEngine } from '../state/engine';
import { differenceScale, type Scale, weightScale } from './colors';

/** Everything a large heatmap needs to know of what it shows. Rows and columns count from the first shown token. */
export interface Matrix {
  name: string;
  source: TileSource;
  scale: Scale;
  serial: number;
  tokens: readonly string[];
  length: number;
  root: Tile;
  value(row: number, column: number): number;
  /** The token of the text on screen that a row or column stands for, and back; null where it has none. */
  tokenAt(place: number): number | null;
  placeOf(token: number): number | null;
}

export function matrixOfHead(head: HeadData, tokens: readonly string[]): Matrix {
  const [first, end] = head.range;
  return {
    name: placeText(head),
    source: 'current',
    scale: weightScale,
    serial: head.serial,
    tokens: tokens.slice(first, end),
    length: end - first,
    root: head.root,
    value: (row, column) => weightOf(head, first + row, first + column),
    tokenAt: (place) => first + place,
    placeOf: (token) => (token >= first && token < end ? token - first : null),
  };
}

/** A head that was kept, beside the one on screen. */
export function matrixOfPinned(head: HeadData, tokens: readonly string[], { ours, theirs }: Alignment): Matrix {
  const own = matrixOfHead(head, tokens);
  const [mine, others] = [counterparts(theirs, ours), counterparts(ours, theirs)];
  return {
    ...own,
    source: 'pinned',
    tokenAt: (place) => mine(head.range[0] + place),
    placeOf: (token) => {
      const other = others(token);
      return other === null ? null : own.placeOf(other);
    },
  };
}

/** `ours` less `theirs`, of the tokens that are compared. */
export function matrixOfDifference(
  ours: HeadData,
  theirs: HeadData,
  tokens: readonly string[],
  alignment: Alignment,
  root: Tile,
): Matrix {
  const { ours: mine, theirs: others } = alignment;
  const places = counterparts(mine, [...mine.keys()]);
  return {
    name: 'Difference',
    source: 'difference',
    scale: differenceScale,
    serial: ours.serial,
    tokens: mine.map((token) => tokens[token]),
    length: mine.length,
    root,
    value: (row, column) => weightOf(ours, mine[row], mine[column]) - weightOf(theirs, others[row], others[column]),
    tokenAt: (place) => mine[place] ?? null,
    placeOf: places,
  };
}

export const fetchTile = ({ serial, source }: Matrix, tile: Pick<Tile, 'rows' | 'columns' | 'size'>) =>
  currentEngine()?.tile(serial, { source, ...tile }) ?? Promise.resolve(null);
