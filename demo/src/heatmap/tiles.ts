import type { HeadData, Tile, TileSpec } from '../engine/protocol';
import type { Window } from './renderer';

/** Cells a side of a tile. */
const tileCells = 256;
/** Of one head; the largest matrix has a few hundred at full size, of which few are ever looked at. */
const keptTiles = 64;
/** The worker makes them one after the other; asking for more at once would only delay the newest. */
const mostAsked = 3;

type Fetch = (tile: Omit<TileSpec, 'source'>) => Promise<Tile | null>;

/**
 * A matrix as a pyramid: at levels (n, m) a cell stands for 2ⁿ × 2ᵐ pairs, and a tile is 256 cells a side. Levels are such
 * that a cell is at least a pixel: then every pair is seen, in the largest of its block. What is not there yet shows
 * through from the picture of the whole.
 */
export class Tiles {
  readonly #root: Tile;
  readonly #length: number;
  readonly #fetch: Fetch;
  readonly #onChange: () => void;
  readonly #tiles = new Map<string, Tile>();
  readonly #asked = new Set<string>();
  /** What could not be made is not asked for again: the coarser one stays. */
  readonly #refused = new Set<string>();

  constructor({ root, range }: Pick<HeadData, 'root' | 'range'>, fetch: Fetch, onChange: () => void) {
    this.#root = root;
    this.#length = range[1] - range[0];
    this.#fetch = fetch;
    this.#onChange = onChange;
  }

  /** The best there is for a window shown on so many pixels, coarse ones first; asks for what is missing. */
  visible({ top, left, rows, columns }: Window, width: number, height: number): Tile[] {
    const shown = [this.#root];
    const [down, across] = [levelOf(rows, height), levelOf(columns, width)];
    const coarsest = levelOf(this.#length, tileCells);
    if (down >= coarsest && across >= coarsest) return shown;
    const missing: TilePlace[] = [];
    for (const place of this.#places(
      { top, left, rows, columns },
      Math.min(down, coarsest),
      Math.min(across, coarsest),
    )) {
      const tile = this.#tiles.get(place.key);
      if (tile) shown.push(this.#touched(place.key, tile));
      else missing.push(place);
    }
    for (const place of missing) this.#ask(place);
    return shown;
  }

  /** Whether nothing finer is on its way. */
  get isComplete(): boolean {
    return this.#asked.size === 0;
  }

  #places({ top, left, rows, columns }: Window, down: number, across: number): TilePlace[] {
    const length = this.#length;
    return ranges(top, rows, tileCells * 2 ** down, length).flatMap((r) =>
      ranges(left, columns, tileCells * 2 ** across, length).map((c) => ({
        key: [down, across, r[0], c[0]].join(),
        rows: r,
        columns: c,
        size: [Math.ceil((r[1] - r[0]) / 2 ** down), Math.ceil((c[1] - c[0]) / 2 ** across)] as const,
      })),
    );
  }

  #ask({ key, ...place }: TilePlace): void {
    if (this.#asked.has(key) || this.#refused.has(key) || this.#asked.size >= mostAsked) return;
    this.#asked.add(key);
    this.#fetch(place)
      .catch(() => null)
      .then((tile) => {
        if (tile) this.#keep(key, tile);
        else this.#refused.add(key);
      })
      .finally(() => {
        this.#asked.delete(key);
        this.#onChange();
      });
  }

  #keep(key: string, tile: Tile): void {
    this.#tiles.set(key, tile);
    const oldest = this.#tiles.keys().next();
    if (this.#tiles.size > keptTiles && !oldest.done) this.#tiles.delete(oldest.value);
  }

  #touched(key: string, tile: Tile): Tile {
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }
}

interface TilePlace extends Omit<TileSpec, 'source'> {
  key: string;
}

/** The finest level at which a cell is at least a pixel. */
export const levelOf = (cells: number, pixels: number) => Math.max(0, Math.ceil(Math.log2(cells / pixels)));

/** Ranges of one span each that `count` cells from `from` on touch. */
function ranges(from: number, count: number, span: number, length: number): (readonly [number, number])[] {
  const first = Math.max(0, Math.floor(from / span));
  const last = Math.min(Math.ceil(length / span), Math.ceil((from + count) / span));
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => {
    const start = (first + i) * span;
    return [start, Math.min(length, start + span)] as const;
  });
}
