import { createAttention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { weightOf } from '../../attention/weights';
import { applyLens } from '../layers';
import { longSequence } from '../long';
import { noMask } from '../mask';
import { type Pass, readLong } from '../pass';
import type { LensSpec, PassSpec } from '../protocol';
import type { Session } from '../session';
import { aside } from './aside';

const size = 19;
const attention = await createAttention();
const plain: PassSpec = { model: 'long', text: '', length: size, mask: noMask, ablated: [], temperature: 1 };
const causal: PassSpec = { ...plain, mask: { ...noMask, causal: true } };
const lens: LensSpec = { kind: 'heads', weighting: 'attention', hideSeparators: false };
const session = {
  attention,
  signal: new AbortController().signal,
  read: async (spec: PassSpec) => readLong(attention, spec),
  lens: (pass: Pass, spec: LensSpec) => applyLens(attention, pass, pass.layers, spec),
} as unknown as Session;

const { layer } = longSequence(attention, size, 4);

function expectedWeight(head: number, query: number, key: number, isCausal: boolean): number {
  const powers = Array.from({ length: size }, (_, j) => {
    if (isCausal && j > query) return 0;
    let dot = 0;
    for (let d = 0; d < layer.dims; d++) {
      const [row, column] = [head * size + query, head * size + j].map((at) => at * layer.dims + d);
      dot += layer.query[row] * layer.key[column];
    }
    return Math.exp(dot);
  });
  return powers[key] / powers.reduce((a, b) => a + b, 0);
}

test('each text is read by its own pass', async () => {
  const place = { layer: 0, head: 2 };
  const [free, masked] = await aside(session, [
    { pass: plain, lens, place },
    { pass: causal, lens, place },
  ]);
  for (const [{ head, tokens }, isCausal] of [
    [free, false],
    [masked, true],
  ] as const) {
    expect(tokens).toHaveLength(size);
    for (let query = 0; query < size; query++) {
      for (let key = 0; key < size; key++) {
        const expected = expectedWeight(2, query, key, isCausal);
        expect(Math.abs(weightOf(head, query, key) - expected)).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(head.root.cells[query * size + key] - expected)).toBeLessThanOrEqual(1e-5);
      }
    }
  }
});

test('a place that the model does not have gives its last head', async () => {
  const [{ head }] = await aside(session, [{ pass: plain, lens, place: { layer: 7, head: 11 } }]);
  expect([head.layer, head.head]).toEqual([0, 3]);
});
