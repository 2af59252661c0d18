import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import type { HeadData } from '../engine/protocol';
import { svgOf } from './svg';

const measure = (text: string) => 9 * text.length;

/** A head whose scores are given: keys are unit vectors. */
function headOf(
  size: number,
  score: (query: number, key: number) => number,
  range: readonly [number, number] = [0, size],
): HeadData {
  const query = Float32Array.from({ length: size * size }, (_, i) => score(Math.floor(i / size), i % size));
  const key = new Float32Array(size * size);
  for (let i = 0; i < size; i++) key[i * size + i] = 1;
  const logSumExp = Float32Array.from({ length: size }, (_, q) => {
    let sum = 0;
    for (let k = range[0]; k < range[1]; k++) sum += Math.exp(query[q * size + k]);
    return Math.log(sum);
  });
  const lens = { kind: 'heads', hideSeparators: false, weighting: 'attention' } as const;
  return {
    ...{ layer: 0, head: 0, serial: 1, lens, size, dims: size, scale: 1, range, query, key, logSumExp },
    ...{ value: null, keyBias: null, mask: noMask, isCausal: false },
    root: { rows: [0, 0], columns: [0, 0], size: [0, 0], cells: new Float32Array(0) },
  };
}

const hostile = ['<script>', '&amp;', '"\'', 'a\u0000b\u001f', '\ud800', '\uffff', '😀', ']]>', '<!--'];

test('hostile text is text, in well-formed XML', () => {
  const svg = svgOf(
    {
      titles: ['"</title><script>alert(1)</script>', 'b & c'],
      tokens: hostile,
      head: headOf(hostile.length, (q, k) => (q === k ? 1 : 0)),
      active: { query: 0, key: 3 },
      locked: [],
    },
    measure,
  );
  const { elements, texts } = parse(svg);
  expect(new Set(elements.map(({ name }) => name))).toEqual(new Set(['svg', 'title', 'rect', 'text', 'g', 'path']));
  const shown = ['<script>', '&amp;', '"\'', 'a\ufffdb\ufffd', '\ufffd', '😀', ']]>', '<!--'];
  expect(texts).toEqual(expect.arrayContaining(shown));
  expect(texts).toContain('"</title><script>alert(1)</script>');
});

test('what runs from right to left is kept apart', () => {
  const head = headOf(2, (q, k) => q - k);
  const [tokens, locked] = [['##שלום!', 'hi!'], []];
  const svg = svgOf({ titles: ['t'], tokens, head, active: { query: 1, key: 0 }, locked }, measure);
  expect(parse(svg).texts).toEqual(expect.arrayContaining(['\u2068שלום!\u2069', 'hi!']));
});

test('stands alone: no references, no styles, colours as numbers', () => {
  const head = headOf(3, (q, k) => q - k);
  const svg = svgOf(
    { titles: ['t'], tokens: ['a', 'b', 'c'], head, active: { query: 1, key: 0 }, locked: [] },
    measure,
  );
  const { elements } = parse(svg);
  for (const { attributes } of elements) {
    for (const [name, value] of Object.entries(attributes)) {
      expect(name).not.toMatch(/href|style|class|^on/);
      expect(value).not.toMatch(/url\(|var\(/);
      if (name === 'fill' || name === 'stroke') expect(value).toMatch(/^(none|#[0-9a-f]{6})$/);
    }
  }
});

test('an arc for each weight worth seeing, as wide as it weighs', () => {
  const weights = [
    [0.7, 0.2, 0.09, 0.01],
    [0.25, 0.25, 0.25, 0.25],
    [0.5, 0.49, 0.005, 0.005],
    [0.1, 0.2, 0.3, 0.4],
  ];
  const head = headOf(4, (q, k) => Math.log(weights[q][k]));
  const tokens = ['a', 'b', 'c', 'd'];
  const drawn = (locked: { query: number; key: number }[]) =>
    parse(svgOf({ titles: [], tokens, head, active: { query: 0, key: 0 }, locked }, measure)).elements.filter(
      ({ name }) => name === 'path',
    );
  const widths = (paths: ReturnType<typeof drawn>) =>
    paths.map(({ attributes }) => (Number(attributes['stroke-width']) - 1) / 6).sort((a, b) => a - b);
  // Row 0 without its faintest weight; column 0 without the token itself.
  const expected = [0.7, 0.2, 0.09, 0.25, 0.5, 0.1].sort((a, b) => a - b);
  widths(drawn([])).forEach((got, i) => {
    if (!(Math.abs(got - expected[i]) <= 0.002)) expect(got).toBe(expected[i]);
  });
  expect(drawn([])).toHaveLength(6);
  expect(drawn([{ query: 3, key: 3 }])).toHaveLength(10);
  expect(drawn([]).filter(({ attributes }) => attributes['stroke-dasharray'])).toHaveLength(3);
});

test('only shown tokens are written, and lines end inside the picture', () => {
  const tokens = ['[CLS]', ...Array.from({ length: 200 }, (_, i) => (i % 3 ? `word${i}` : `##s${i}`)), '[SEP]'];
  const head = headOf(tokens.length, (q, k) => (q === k ? 9 : 0), [1, 201]);
  const { elements, texts } = parse(
    svgOf({ titles: ['t'], tokens, head, active: { query: 5, key: 9 }, locked: [] }, measure),
  );
  expect(texts).not.toContain('[CLS]');
  expect(texts.filter((text) => /^(word|s)\d/.test(text))).toHaveLength(200);
  const { width, height } = elements[0].attributes;
  for (const { name, attributes } of elements.slice(1)) {
    if (name !== 'text') continue;
    expect(Number(attributes.x) + 48).toBeLessThan(Number(width));
    expect(Number(attributes.y)).toBeLessThan(Number(height));
  }
});

interface Element {
  name: string;
  attributes: Record<string, string>;
}

/** As much of XML 1.0 as is written, and strict about it. */
function parse(xml: string): { elements: Element[]; texts: string[] } {
  const elements: Element[] = [];
  const texts: string[] = [];
  const open: string[] = [];
  if (/[\ud800-\udfff]/u.test(xml)) throw new Error('A lone surrogate.');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(xml)) throw new Error('A character that XML has not.');
  const markup = /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)\s*(\/?)>/y;
  let at = 0;
  while (at < xml.length) {
    if (xml[at] !== '<') {
      const end = xml.indexOf('<', at) < 0 ? xml.length : xml.indexOf('<', at);
      const text = plain(xml.slice(at, end));
      if (open.length === 0 && text.trim()) throw new Error(`Text outside: ${text}`);
      if (text.trim()) texts.push(text);
      at = end;
      continue;
    }
    markup.lastIndex = at;
    const [whole, closes, name, attributes, isEmpty] = markup.exec(xml) ?? [];
    if (whole === undefined || name === undefined) throw new Error(`No markup: ${xml.slice(at, at + 60)}`);
    at += whole.length;
    if (closes) {
      if (open.pop() !== name) throw new Error(`${name} was not open.`);
      continue;
    }
    const given = [...(attributes ?? '').matchAll(/([a-zA-Z:-]+)="([^"]*)"/g)].map(([, key, value]) => [
      key,
      plain(value),
    ]);
    if (new Set(given.map(([key]) => key)).size < given.length) throw new Error(`${name} has an attribute twice.`);
    elements.push({ name, attributes: Object.fromEntries(given) });
    if (!isEmpty) open.push(name);
  }
  if (open.length > 0) throw new Error(`${open.at(-1)} stays open.`);
  return { elements, texts };
}

function plain(text: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  if (text.includes(']]>')) throw new Error(']]> in text.');
  return text.replace(/&([^;]*;?)/g, (_, name) => names[name.slice(0, -1)] ?? bad(name));
}

function bad(name: string): never {
  throw new Error(`No such entity: ${name}`);
}
