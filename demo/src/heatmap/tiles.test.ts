import { expect, test, vi } from 'vitest';
import type { Tile } from '../engine/protocol';
import { levelOf, Tiles } from './tiles';

const tile = (rows: readonly [number, number], columns = rows, size: readonly [number, number] = [256, 256]): Tile => ({
  rows,
  columns,
  size,
  cells: new Float32Array(0),
});
const whole = (length: number) => ({ top: 0, left: 0, rows: length, columns: length });
const settled = () => new Promise((done) => setTimeout(done));

test('a cell is at least a pixel, so that every pair is seen', () => {
  expect([100, 256, 257, 512, 513, 4096].map((cells) => levelOf(cells, 256))).toEqual([0, 0, 1, 1, 2, 4]);
});

test('what fits its picture asks for nothing', () => {
  const fetch = vi.fn();
  const root = tile([0, 200]);
  expect(new Tiles({ root, range: [0, 200] }, fetch, () => {}).visible(whole(200), 900, 300)).toEqual([root]);
  expect(fetch).not.toHaveBeenCalled();
});

test('a part of a long matrix is asked for at its own level, few at a time, and drawn over the whole', async () => {
  const root = tile([0, 4096]);
  const asked: Omit<Tile, 'cells'>[] = [];
  let changes = 0;
  const tiles = new Tiles(
    { root, range: [0, 4096] },
    async (place) => {
      asked.push(place);
      return { ...place, cells: new Float32Array(0) };
    },
    () => {
      changes++;
    },
  );
  const window = { top: 1000, left: 2000, rows: 256, columns: 512 };
  expect(tiles.visible(window, 512, 256)).toEqual([root]);
  expect(asked).toHaveLength(3);
  expect(tiles.isComplete).toBe(false);
  await settled();
  expect(changes).toBe(3);
  tiles.visible(window, 512, 256);
  await settled();
  const shown = tiles.visible(window, 512, 256);
  expect(tiles.isComplete).toBe(true);
  expect(shown[0]).toBe(root);
  // Two rows of tiles by three columns, each pair in one of them.
  expect(shown.slice(1).map(({ rows, columns }) => [...rows, ...columns])).toEqual(
    [768, 1024].flatMap((row) => [1792, 2048, 2304].map((column) => [row, row + 256, column, column + 256])),
  );
});

test('at the edge a tile ends where the matrix does', async () => {
  const asked: Omit<Tile, 'cells'>[] = [];
  const tiles = new Tiles(
    { root: tile([0, 600]), range: [0, 600] },
    async (place) => {
      asked.push(place);
      return null;
    },
    () => {},
  );
  tiles.visible({ top: 550, left: 0, rows: 50, columns: 600 }, 300, 300);
  expect(asked).toEqual([
    { rows: [512, 600], columns: [0, 512], size: [88, 256] },
    { rows: [512, 600], columns: [512, 600], size: [88, 44] },
  ]);
  await settled();
  // What was refused is not asked for again.
  tiles.visible({ top: 550, left: 0, rows: 50, columns: 600 }, 300, 300);
  expect(asked).toHaveLength(2);
});
