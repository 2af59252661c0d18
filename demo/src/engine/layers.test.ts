import { createAttention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { weightOf } from '../attention/weights';
import { applyLens, differenceOf, headData, headOf, type Layer, layerOfWeights, overviewOf, tileOf } from './layers';
import { allOf, attends, noMask, ruleOf } from './mask';
import type { Pass } from './pass';
import type { LensSpec } from './protocol';

const attention = await createAttention();
const plainLens: LensSpec = { kind: 'heads', hideSeparators: false, weighting: 'attention' };
const [heads, kvHeads, size, dims, valueDims] = [4, 2, 37, 6, 5];
const mask = { ...noMask, window: 9, globals: [0], blocks: [{ rows: [3, 6], columns: [1, 9] }] } as const;

let state = 1;
/** From −1 to 1, the same in each run. */
const random = () => {
  state = (state * 48271) % 2147483647;
  return (state / 2147483647) * 2 - 1;
};
const filled = (length: number) => Float32Array.from({ length }, () => 2 * random());

const rule = allOf([attention.masks.causal(), ruleOf(mask, size)]);
const query = filled(heads * size * dims);
const key = filled(kvHeads * size * dims);
const value = filled(kvHeads * size * valueDims);
const scale = 0.7;
const { logSumExp } = attention.scaledDotProductAttention(
  { data: query, shape: [1, heads, size, dims] },
  { data: key, shape: [1, kvHeads, size, dims] },
  { data: value, shape: [1, kvHeads, size, valueDims] },
  { scale, logSumExp: true, ...(rule && { mask: rule }) },
);
const layer: Layer = { heads, kvHeads, size, dims, scale, query, key, value, logSumExp: logSumExp.data };
const tokens = Array.from({ length: size }, (_, i) => `t${i}`);
const pass = { spec: { mask }, tokens, inner: [1, size - 1], isCausal: true, rule, layers: [layer] } as unknown as Pass;

/** Plain loops: the softmax of one row over what it attends to, of the lens. */
function row(head: number, q: number, { hideSeparators, weighting }: LensSpec): number[] {
  const [from, to] = hideSeparators ? [1, size - 1] : [0, size];
  const group = Math.floor(head / (heads / kvHeads));
  const exponentials = tokens.map((_, k) => {
    if (k > q || k < from || k >= to || !attends(mask, size, q, k)) return 0;
    let dot = 0;
    for (let d = 0; d < dims; d++) dot += query[(head * size + q) * dims + d] * key[(group * size + k) * dims + d];
    const at = (group * size + k) * valueDims;
    const norm = Math.hypot(...value.subarray(at, at + valueDims));
    return Math.exp(scale * dot) * (weighting === 'value' ? norm : 1);
  });
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((one) => (sum === 0 ? 0 : one / sum));
}

const lenses: LensSpec[] = [
  plainLens,
  { ...plainLens, hideSeparators: true },
  { ...plainLens, weighting: 'value' },
  { ...plainLens, weighting: 'value', hideSeparators: true },
];

test.each(lenses)('tiles, the overview and single weights are the softmax: %o', (lens) => {
  const lensed = applyLens(attention, pass, pass.layers, lens);
  const [from, to] = lensed.range;
  const length = to - from;
  const overview = finished(overviewOf(attention, lensed));
  for (let h = 0; h < heads; h++) {
    const head = headOf(lensed, { layer: 0, head: h });
    const data = headData(attention, 1, pass, lensed, head);
    expect(data.root.size).toEqual([length, length]);
    const part = tileOf(attention, head, { rows: [2, 9], columns: [4, 30], size: [7, 26] });
    const pooled = new Float32Array(overview.side ** 2);
    for (let q = from; q < to; q++) {
      const expected = row(h, q, lens);
      for (let k = from; k < to; k++) {
        const [r, c] = [q - from, k - from];
        near(data.root.cells[r * length + c], expected[k]);
        near(weightOf(data, q, k), expected[k]);
        if (r >= 2 && r < 9 && c >= 4 && c < 30) near(part.cells[(r - 2) * 26 + c - 4], expected[k]);
      }
    }
    // Cell r of the overview covers rows floor(r·n/R) to floor((r+1)·n/R).
    const cut = (cell: number) => Math.floor((cell * length) / overview.side);
    for (let r = 0; r < overview.side; r++) {
      for (let q = cut(r); q < cut(r + 1); q++) {
        const expected = row(h, from + q, lens).slice(from, to);
        for (let c = 0; c < overview.side; c++) {
          const cell = r * overview.side + c;
          pooled[cell] = Math.max(pooled[cell], ...expected.slice(cut(c), cut(c + 1)));
        }
      }
    }
    pooled.forEach((expected, cell) => {
      near(overview.cells[h * pooled.length + cell], expected);
    });
  }
});

test('a head that there is not is the last one', () => {
  const lensed = applyLens(attention, pass, pass.layers, plainLens);
  const head = headOf(lensed, { layer: 99, head: 99 });
  expect(head.place).toEqual({ layer: 0, head: heads - 1 });
  expect(head.query).toEqual(headOf(lensed, { layer: 0, head: heads - 1 }).query);
});

test('a difference is that of the pairs, and of a block the largest', () => {
  const lensed = applyLens(attention, pass, pass.layers, plainLens);
  const [a, b] = [headOf(lensed, { layer: 0, head: 1 }), headOf(lensed, { layer: 0, head: 2 })];
  const whole = { rows: [0, size], columns: [0, size] } as const;
  const fine = differenceOf(attention, a, b, { ...whole, size: [size, size] });
  const coarse = differenceOf(attention, a, b, { ...whole, size: [5, 4] });
  const largest = new Float32Array(20);
  for (let q = 0; q < size; q++) {
    const [mine, theirs] = [row(1, q, plainLens), row(2, q, plainLens)];
    for (let k = 0; k < size; k++) {
      const difference = mine[k] - theirs[k];
      near(fine.cells[q * size + k], difference);
      const cell = blockOf(q, 5) * 4 + blockOf(k, 4);
      if (Math.abs(difference) > Math.abs(largest[cell])) largest[cell] = difference;
    }
  }
  largest.forEach((expected, cell) => {
    near(coarse.cells[cell], expected);
  });
});

test('weights that are given come back as they were', () => {
  const weights = Float32Array.from({ length: 2 * 9 * 9 }, () => Math.abs(random()) / 9);
  const given = { ...pass, tokens: tokens.slice(0, 9), rule: null } as Pass;
  const lensed = applyLens(attention, given, [layerOfWeights(weights, 2, 9)], { ...plainLens, kind: 'rollout' });
  const data = headData(attention, 1, given, lensed, headOf(lensed, { layer: 0, head: 1 }));
  for (let i = 0; i < 81; i++) {
    near(data.root.cells[i], weights[81 + i]);
    near(weightOf(data, Math.floor(i / 9), i % 9), weights[81 + i]);
  }
});

function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Which of so many blocks of the whole an index is in. */
function blockOf(index: number, blocks: number): number {
  return Array.from({ length: blocks }, (_, b) => Math.floor(((b + 1) * size) / blocks)).findIndex(
    (end) => index < end,
  );
}

function near(got: number, expected: number): void {
  if (!(Math.abs(got - expected) <= 2e-6)) expect(got).toBe(expected);
}
