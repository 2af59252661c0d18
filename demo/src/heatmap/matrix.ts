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
  /** Of the first shown token. */
  offset: number;
  length: number;
  root: Tile;
  value(row: number, column: number): number;
}

export function matrixOfHead(head: HeadData, tokens: readonly string[], source: TileSource = 'current'): Matrix {
  const [offset, end] = head.range;
  return {
    name: head.lens.kind === 'rollout' ? `Rollout up to layer ${head.layer}` : `Layer ${head.layer}, head ${head.head}`,
    source,
    scale: weightScale,
    serial: head.serial,
    tokens: tokens.slice(offset, end),
    offset,
    length: end - offset,
    root: head.root,
    value: (row, column) => weightOf(head, offset + row, offset + column),
  };
}

/** `ours` less `theirs`, where both have as many tokens. */
export function matrixOfDifference(ours: HeadData, theirs: HeadData, tokens: readonly string[], root: Tile): Matrix {
  const own = matrixOfHead(ours, tokens);
  const [offset] = theirs.range;
  return {
    ...own,
    name: 'Difference',
    source: 'difference',
    scale: differenceScale,
    root,
    value: (row, column) => own.value(row, column) - weightOf(theirs, offset + row, offset + column),
  };
}

export const fetchTile = ({ serial, source }: Matrix, tile: Pick<Tile, 'rows' | 'columns' | 'size'>) =>
  currentEngine()?.tile(serial, { source, ...tile }) ?? Promise.resolve(null);
