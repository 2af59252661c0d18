import { createAttention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import type { HeadData } from '../engine/protocol';
import { partsOf, productsOf, softmaxOf } from './steps';
import { rowOf } from './weights';

const [size, dims, valueDims, scale] = [9, 5, 3, 0.7];
const wave = (length: number, step: number) => Float32Array.from({ length }, (_, i) => 2 * Math.sin(step * (i + 1)));
const query = wave(size * dims, 1.3);
const key = wave(size * dims, 2.1);
const value = wave(size * valueDims, 0.9);

const attention = await createAttention();
const shaped = (data: Float32Array) => ({ data, shape: [1, 1, size, data.length / size] });
const causal = attention.scaledDotProductAttention(shaped(query), shaped(key), shaped(value), {
  scale,
  causal: true,
  logSumExp: true,
});

const head: HeadData = {
  layer: 0,
  head: 0,
  serial: 1,
  lens: { kind: 'heads', hideSeparators: false, weighting: 'attention' },
  size,
  dims,
  query,
  key,
  value,
  keyBias: null,
  logSumExp: causal.logSumExp.data,
  scale,
  range: [0, size],
  mask: noMask,
  isCausal: true,
  root: { rows: [0, size], columns: [0, size], size: [0, 0], cells: new Float32Array(0) },
};

const expectClose = (got: number, wanted: number, tolerance = 1e-12) => {
  if (!(Math.abs(got - wanted) <= tolerance)) throw new Error(`got ${got}, wanted ${wanted}`);
};

test.each([0, 3, 8])('the weights of row %i are those of the page, and add up to 1', (row) => {
  const { steps, sum, largest } = softmaxOf(head, row);
  expect(steps.map((step) => step.key).sort((a, b) => a - b)).toEqual([...Array(size).keys()]);
  const weights = rowOf(head, row);
  for (const step of steps) expectClose(step.weight, weights[step.key], 1e-5);
  expectClose(
    steps.reduce((total, { weight }) => total + weight, 0),
    1,
  );
  expectClose(largest + Math.log(sum), causal.logSumExp.data[row], 1e-5);
  expect(steps.map(({ weight }) => weight)).toEqual(steps.map(({ weight }) => weight).sort((a, b) => b - a));
});

test('hidden keys have a score, but no weight, and come last', () => {
  const { steps } = softmaxOf(head, 3);
  const hidden = steps.filter((step) => !step.isAttended);
  expect(hidden.map((step) => step.key).sort()).toEqual([4, 5, 6, 7, 8]);
  expect(steps.slice(-5)).toEqual(hidden);
  for (const step of hidden) {
    expectClose(step.score, scale * step.dot);
    expect([step.exponential, step.weight]).toEqual([0, 0]);
  }
});

test('the products of all dimensions add up to the dot product', () => {
  for (const { key: at, dot } of softmaxOf(head, 6).steps) {
    const products = productsOf(head, 6, at);
    expect(products).toHaveLength(dims);
    expect(products[2]).toMatchObject({ dimension: 2, query: query[6 * dims + 2], key: key[at * dims + 2] });
    let sum = 0;
    for (const { product } of products) sum += product;
    expectClose(sum, dot);
  }
});

test.each([0, 5, 8])('the parts of all keys add up to what the engine puts out for query %i', (row) => {
  const softmax = softmaxOf(head, row);
  const sums = new Float64Array(valueDims);
  for (let at = 0; at < size; at++) {
    for (const { dimension, part, value: own } of partsOf(head, softmax, at) ?? []) {
      expect(own).toBe(value[at * valueDims + dimension]);
      sums[dimension] += part;
    }
  }
  for (const { dimension, output } of partsOf(head, softmax, 0) ?? []) {
    expectClose(output, sums[dimension]);
    expectClose(output, causal.output.data[row * valueDims + dimension], 1e-5);
  }
});

test('of the shown keys alone, whatever shares are shown', () => {
  const shown: HeadData = { ...head, range: [1, 8], keyBias: new Float32Array(size).fill(3) };
  const { steps } = softmaxOf(shown, 7);
  const exponentials = steps.map((step) => {
    let dot = 0;
    for (let d = 0; d < dims; d++) dot += query[7 * dims + d] * key[step.key * dims + d];
    return Math.exp(scale * dot);
  });
  const sum = exponentials.reduce((a, b) => a + b, 0);
  expect(steps).toHaveLength(7);
  steps.forEach((step, i) => {
    expectClose(step.weight, exponentials[i] / sum);
  });
});

test('a row that may attend to nothing has no weights', () => {
  const masked: HeadData = { ...head, mask: { ...noMask, padding: size } };
  const { steps, sum } = softmaxOf(masked, 4);
  expect(sum).toBe(0);
  expect(steps.every(({ weight }) => weight === 0)).toBe(true);
});

test('without values there are no parts', () => {
  expect(partsOf({ ...head, value: null }, softmaxOf(head, 2), 0)).toBeNull();
});
