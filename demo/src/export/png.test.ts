import { expect, test } from 'vitest';
import type { Tile } from '../engine/protocol';
import { differenceScale, type Scale, weightScale } from '../heatmap/colors';
import { type Context, density, drawSheet, type Part, sheetOf } from './png';

interface Drawn {
  texts: { text: string; x: number; y: number; font: string; align: string; turned: boolean }[];
  images: { tile: Tile; scale: Scale; place: number[] }[];
}

/** Writes down what is drawn, with letters as wide as half their height. */
function recorder(): { context: Context; drawn: Drawn } {
  const drawn: Drawn = { texts: [], images: [] };
  const at = { x: 0, y: 0, turned: false };
  const measureText = (text: string) => ({ width: text.length * Number(/(\d+)px/.exec(context.font)?.[1]) * 0.5 });
  const context = {
    font: '',
    textAlign: 'left',
    scale() {},
    fillRect() {},
    measureText,
    fillText: (text: string, x: number, y: number) =>
      drawn.texts.push({
        text,
        x: x + at.x,
        y: y + at.y,
        font: context.font,
        align: context.textAlign,
        turned: at.turned,
      }),
    drawImage: (image: unknown, ...place: number[]) =>
      drawn.images.push({ ...(image as { tile: Tile; scale: Scale }), place }),
    save() {},
    restore: () => Object.assign(at, { x: 0, y: 0, turned: false }),
    translate: (x: number, y: number) => Object.assign(at, { x, y }),
    rotate: () => Object.assign(at, { turned: true }),
  } as unknown as Context;
  return { context, drawn };
}

function part(length: number, side = Math.min(256, length), name = '', scale = weightScale): Part {
  const tokens = Array.from({ length }, (_, i) => (i === 3 ? '##internationalisation' : `w${i}`));
  const cells = new Float32Array(side * side).fill(0.5);
  const tile = { rows: [0, length], columns: [0, length], size: [side, side], cells } as const;
  return { name, matrix: { tokens, length, scale, value: () => 0.5 }, tile };
}

function draw(titles: string[], parts: Part[]) {
  const { context, drawn } = recorder();
  const sheet = sheetOf(titles, parts, context);
  drawSheet(context, sheet, titles, parts, (tile, scale) => ({ tile, scale }) as unknown as CanvasImageSource);
  return { sheet, ...drawn };
}

test.each([1, 5, 20, 21, 48, 49, 128])('every token of %i names its row and its column, legibly', (length) => {
  const one = part(length);
  const { sheet, texts, images } = draw(['title'], [one]);
  const [{ place, tile, scale }] = images;
  expect(tile).toBe(one.tile);
  expect(scale).toBe(weightScale);
  const [left, top, width, height] = place;
  const cell = width / length;
  expect(height).toBe(width);
  for (let i = 0; i < length; i++) {
    const label = i === 3 ? 'internationalis…' : `w${i}`;
    const both = texts.filter(({ text }) => text === label);
    expect(both).toHaveLength(2);
    for (const { font } of both) {
      const size = Number(/(\d+)px/.exec(font)?.[1]);
      expect(size).toBeGreaterThanOrEqual(11);
      expect(size).toBeLessThan(cell);
    }
    const [row, column] = [both.find(({ turned }) => !turned), both.find(({ turned }) => turned)];
    expect(row?.y).toBeCloseTo(top + (i + 0.5) * cell);
    expect(column?.x).toBeCloseTo(left + (i + 0.5) * cell);
    expect(row?.align).toBe('right');
    expect((row?.x ?? 0) - label.length * 6).toBeGreaterThanOrEqual(0);
  }
  expect(sheet.width).toBeGreaterThanOrEqual(left + width);
  expect(sheet.height).toBeGreaterThanOrEqual(top + height);
});

test('what runs from right to left is kept apart', () => {
  const one = part(2);
  const { texts } = draw(['title'], [{ ...one, matrix: { ...one.matrix, tokens: ['##שלום!', 'אבגדהוזחטיכלמנסעפ'] } }]);
  const labels = new Set(texts.map(({ text }) => text));
  expect([...labels]).toEqual(expect.arrayContaining(['\u2068שלום!\u2069', '\u2068אבגדהוזחטיכלמנס…\u2069']));
});

test('longer texts are drawn without tokens, in whole pixels of the file, and say so of blocks', () => {
  for (const [length, side] of [
    [129, 129],
    [512, 256],
    [4096, 1024],
  ]) {
    const { texts, images } = draw(['title'], [part(length, side)]);
    expect(texts.some(({ text }) => text === 'w0')).toBe(false);
    const pixels = (images[0].place[2] * density) / side;
    expect(Math.abs(pixels - Math.round(pixels))).toBeLessThan(1e-9);
    expect(images[0].place[2] * density).toBeLessThanOrEqual(2048);
    expect(texts.some(({ text }) => text.includes('largest of each block'))).toBe(side < length);
  }
});

test('the legend shows every colour of its scale in order', () => {
  for (const scale of [weightScale, differenceScale]) {
    const { images } = draw(['title'], [part(4, 4, '', scale)]);
    const { cells } = images[1].tile;
    expect(images[1].scale).toBe(scale);
    const indices = Array.from(cells, (value) => Math.round(255 * scale.position(value)));
    expect(indices).toEqual(Array.from({ length: 256 }, (_, i) => i));
  }
});

test('parts stand side by side', () => {
  const three = [part(9, 9, 'A'), part(4, 4, 'B'), part(4, 4, 'B − A', differenceScale)];
  const { sheet, images } = draw(['A', 'facts', 'B', 'facts'], three);
  const squares = images.filter((_, i) => i % 2 === 0).map(({ place }) => place);
  expect(squares).toHaveLength(3);
  expect(squares[1][0]).toBeGreaterThan(squares[0][0] + squares[0][2]);
  expect(squares[2][0]).toBeGreaterThan(squares[1][0] + squares[1][2]);
  expect(sheet.width).toBeGreaterThanOrEqual(squares[2][0] + squares[2][2]);
});

test('no line of writing ends outside', () => {
  const { sheet, texts } = draw(['A long text '.repeat(9), 'facts '.repeat(40)], [part(3)]);
  for (const { text, x, font, align, turned } of texts) {
    if (align !== 'left' || turned) continue;
    expect(x + text.length * Number(/(\d+)px/.exec(font)?.[1]) * 0.5).toBeLessThanOrEqual(sheet.width);
  }
});
