import { createAttention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { applyLens } from '../layers';
import { attends, noMask } from '../mask';
import { readOwn } from '../own';
import { type Pass, readLong, readText } from '../pass';
import type { LensSpec, PassSpec } from '../protocol';
import type { Session } from '../session';
import { files } from '../tiny-llama';
import { type Detector, detectors, search } from './search';

const attention = await createAttention();
const loaded = await readOwn(attention, { ...files(), tokenizer: null });
const ids = [3, 0, 8, 7, 7, 1, 4, 2, 9];
const tokens = ['[CLS]', ...ids.slice(1, -1).map(String), '[SEP]'];
const { signal } = new AbortController();

const plain: PassSpec = { model: 'own', text: '', length: 21, mask: noMask, ablated: [], temperature: 1 };
const weights: LensSpec = { kind: 'heads', hideSeparators: false, weighting: 'attention' };
const read = (spec: PassSpec) => readText(attention, { ...loaded, encode: () => ({ ids, tokens }) }, spec, signal);
const found = (pass: Pass, lens: LensSpec, from: number | null, to: number | null) => {
  const lensed = applyLens(attention, pass, pass.layers, lens);
  return search({ attention, pass, lensed, signal } as unknown as Session, { from, to });
};

type Row = (query: number) => number[];

/** The same of whole rows of weights, in double. */
function expected(
  row: Row,
  pass: Pass,
  [first, end]: readonly [number, number],
  from: number | null,
  to: number | null,
) {
  const all = Array.from({ length: end - first }, (_, i) => first + i);
  const rows = new Map(all.map((query) => [query, row(query)]));
  const at = (query: number, key: number) => (rows.get(query) as number[])[key] ?? 0;
  const attending = all.filter((query) => (rows.get(query) as number[]).some((weight) => weight > 0));
  const mean = (queries: number[], of: (query: number) => number) => {
    const counted = queries.filter((query) => attending.includes(query));
    return counted.reduce((sum, query) => sum + of(query) / counted.length, 0);
  };
  return {
    pair: Math.max(
      ...(from === null ? all : [from]).flatMap((query) => (to === null ? all : [to]).map((key) => at(query, key))),
    ),
    previous: mean(all.slice(1), (query) => at(query, query - 1)),
    next: mean(all.slice(0, -1), (query) => at(query, query + 1)),
    same: mean(all, (query) => at(query, query)),
    separators: mean(all, (query) =>
      all.reduce((sum, key) => sum + (pass.tokens[key].startsWith('[') ? at(query, key) : 0), 0),
    ),
    entropy: mean(all, (query) =>
      (rows.get(query) as number[]).reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0),
    ),
  };
}

function rowOf(
  pass: Pass,
  { weighting }: LensSpec,
  range: readonly [number, number],
  layer: number,
  head: number,
): Row {
  const { heads, kvHeads, size, dims, scale, query, key, value } = pass.layers[layer];
  const kvHead = Math.floor((head * kvHeads) / heads);
  const norm = (k: number) =>
    Math.hypot(...(value as Float32Array).subarray((kvHead * size + k) * dims, (kvHead * size + k + 1) * dims));
  return (q) => {
    const parts = Array.from({ length: size }, (_, k) => {
      if (!mayAttend(pass, range, q, k)) return 0;
      let dot = 0;
      for (let d = 0; d < dims; d++) dot += query[(head * size + q) * dims + d] * key[(kvHead * size + k) * dims + d];
      return Math.exp(scale * dot) * (weighting === 'value' ? norm(k) : 1);
    });
    const sum = parts.reduce((a, b) => a + b, 0);
    return sum === 0 ? parts : parts.map((part) => part / sum);
  };
}

const evenRow =
  (pass: Pass, range: readonly [number, number]): Row =>
  (q) => {
    const parts = pass.tokens.map((_, k) => Number(mayAttend(pass, range, q, k)));
    const count = parts.reduce((a, b) => a + b, 0);
    return count === 0 ? parts : parts.map((part) => part / count);
  };

function mayAttend(
  { spec, isCausal, tokens: { length } }: Pass,
  range: readonly [number, number],
  q: number,
  k: number,
) {
  if (k < range[0] || k >= range[1] || (isCausal && k > q)) return false;
  return attends(spec.mask, length, q, k);
}

const hidden = { ...weights, hideSeparators: true };
test.each([
  ['a decoder', read, plain, weights, 6, 2],
  ['any query of one key', read, plain, weights, null, 2],
  ['any key of one query', read, plain, weights, 6, null],
  ['any pair', read, plain, weights, null, null],
  ['no separators', read, plain, hidden, 6, 2],
  ['shares of values', read, plain, { ...hidden, weighting: 'value' }, 5, null],
  ['a window and padding', read, { ...plain, mask: { ...noMask, window: 2, padding: 2 } }, weights, 8, null],
  ['a masked pair', read, { ...plain, mask: { ...noMask, window: 1 } }, weights, 6, 1],
  ['rows of nothing', read, { ...plain, mask: { ...noMask, padding: 8 } }, hidden, null, null],
  ['a higher temperature', read, { ...plain, temperature: 2 }, weights, 6, 2],
  ['both directions', async (spec: PassSpec) => readLong(attention, spec), plain, weights, 6, 17],
] as const)('is what whole rows say: %s', async (_, readIt, spec, lens, from, to) => {
  const pass = await readIt(spec);
  const range = lens.hideSeparators ? pass.inner : ([0, pass.tokens.length] as const);
  const got = await found(pass, lens, from, to);
  if (!got) throw new Error('nothing was found');
  const [layers, heads] = [pass.layers.length, pass.layers[0].heads];
  expect([got.layers, got.heads]).toEqual([layers, heads]);
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const wanted = expected(rowOf(pass, lens, range, layer, head), pass, range, from, to);
      for (const name of detectors) expectClose(got.values[name][layer * heads + head], wanted[name], name);
    }
  }
  const even = expected(evenRow(pass, range), pass, range, from, to);
  for (const name of detectors) expectClose(got.even[name], even[name], `even ${name}`);
});

function expectClose(got: number, wanted: number, name: Detector | string) {
  if (!(Math.abs(got - wanted) <= 2e-5)) throw new Error(`${name}: got ${got}, wanted ${wanted}`);
}

test('of no tokens there is nothing', async () => {
  const pass = await readText(attention, { ...loaded, encode: () => ({ ids: [], tokens: [] }) }, plain, signal);
  expect(await found(pass, weights, null, null)).toBeNull();
});
