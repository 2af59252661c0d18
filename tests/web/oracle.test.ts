import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import * as minilm from './minilm.ts';
import { casesArePresent, readCases, whereCasesBelong } from './onnx-cases.ts';
import { attention } from './oracle/attention.ts';
import { bert, embed } from './oracle/bert.ts';
import { erf, erfc } from './oracle/erf.ts';
import * as layers from './oracle/layers.ts';
import { fromHalf, toHalf } from './oracle/values.ts';

/** The judges are judged first: by published values and, where they are present, by the ONNX cases. */
describe('the oracles', () => {
  // Abramowitz and Stegun, table 7.1, and DLMF 7.
  test.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [-1, -0.8427007929497149],
  ])('erf(%f)', (x, y) => expect(erf(x)).toBeCloseTo(y, 14));
  test('erfc keeps its digits far out', () => {
    expect(erfc(5) / 1.5374597944280349e-12).toBeCloseTo(1, 12);
    expect(erfc(10) / 2.088487583762545e-45).toBeCloseTo(1, 12);
  });
  test('erf is continuous where the formulas meet', () => expect(erf(2.5) - erf(2.5 - 1e-12)).toBeCloseTo(0, 12));

  test('halves: every one of the 65536 survives the way there and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value) && toHalf(value) !== bits)
        throw new Error(`half ${bits}: ${value} became ${toHalf(value)}`);
    }
    expect([1, -2, 65504, 2 ** -24, 0.333251953125].map(toHalf)).toEqual([0x3c00, 0xc000, 0x7bff, 1, 0x3555]);
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, 2 ** -25].map(toHalf)).toEqual([0x3c00, 0x3c02, 0x7c00, 0]);
  });

  test('attention over equal keys is the mean of the values', () => {
    const q = { data: [3, -1], shape: [1, 2] };
    const k = { data: [1, 2, 1, 2], shape: [2, 2] };
    const result = attention(q, k, { data: [1, 10, 3, 30], shape: [2, 2] });
    expectClose(result.output, { data: [2, 20], shape: [1, 2] }, 1e-15);
    expectClose(result.logSumExp, { data: [1 / Math.SQRT2 + Math.log(2)], shape: [1, 1, 1] }, 1e-15);
  });
  test('a row that may attend to nothing is zeros with −∞ beneath', () => {
    const x = { data: [1, 2], shape: [2, 1] };
    const result = attention(x, x, x, { causal: true, queryOffset: -1 });
    expect(Array.from(result.output.data)).toEqual([0, 1]);
    expect(result.logSumExp.data[0]).toBe(-Infinity);
  });
  test('BERT with MiniLM’s weights embeds as sentence-transformers publishes', () => {
    const { ids } = minilm.tokenize(minilm.example);
    const { hiddenStates } = bert(minilm.config, minilm.tensors(), ids);
    const embedded = embed(
      hiddenStates[6] as (typeof hiddenStates)[number],
      ids.map(() => 1),
    );
    expectClose({ data: embedded.slice(0, 4), shape: [4] }, { data: minilm.exampleBegins, shape: [4] }, 2e-4);
  });
  test('sinusoids begin with sin 0 and cos 0', () =>
    expect(Array.from(layers.sinusoidalPositions(1, 4).data)).toEqual([0, 1, 0, 1]));
});

if (!casesArePresent) console.warn(`CONFORMANCE WAS NOT RUN against the oracles: no ${whereCasesBelong}`);
describe.runIf(casesArePresent)('the oracles against ONNX', () => {
  const { cases } = casesArePresent ? readCases() : { cases: [] };
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    // The expected numbers were computed in float32, or rounded to halves.
    const tolerance = (i: number) => c.tolerance * (1 + Math.abs(c.expected.data[i] as number));
    if (c.op === 'Softmax') expectClose(layers.softmax(c.x, c.axis), c.expected, tolerance);
    if (c.op === 'Gelu') expectClose(layers.map(c.x, layers.gelu), c.expected, tolerance);
    if (c.op === 'LayerNormalization') expectClose(layers.layerNorm(c.x, c.weight, c.bias, c), c.expected, tolerance);
    if (c.op !== 'Attention') return;
    const result = attention(c.q, c.k, c.v, c.options);
    expectClose(result.output, c.expected, tolerance);
    const weights = c.weights;
    const stage = c.stage === 'softcapped' ? 'scores' : c.stage;
    if (weights) expectClose(result[stage], weights, (i) => c.tolerance * (1 + Math.abs(weights.data[i] as number)));
  });
});
