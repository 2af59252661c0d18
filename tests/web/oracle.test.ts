import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import * as minilm from './minilm.ts';
import { type ConformanceCase, casesArePresent, readCases, whereCasesBelong } from './onnx-cases.ts';
import { attention } from './oracle/attention.ts';
import { alibiSlopes } from './oracle/attention-rules.ts';
import { bert, embed } from './oracle/bert.ts';
import { erf, erfc } from './oracle/erf.ts';
import * as layers from './oracle/layers.ts';
import { rotaryEmbedding } from './oracle/rotary.ts';
import { type Exact, fromHalf, toHalf } from './oracle/values.ts';

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
  describe('what is added to scores', () => {
    test('ALiBi slopes of 8 heads are 1/2 … 1/256, of 16 heads with the square roots between (Press et al. 2022, 3)', () => {
      expect(alibiSlopes(8)).toEqual([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]);
      alibiSlopes(16).forEach((slope, h) => {
        expect(slope).toBeCloseTo(Math.SQRT1_2 ** (h + 1), 15);
      });
    });
    test('other head counts take every other slope of the next power of two', () => {
      expect(alibiSlopes(1)).toEqual([1 / 256]);
      expect(alibiSlopes(3)).toEqual([1 / 16, 1 / 256, 1 / 4]);
      expect(alibiSlopes(12)).toEqual([...alibiSlopes(8), ...[0, 2, 4, 6].map((h) => alibiSlopes(16)[h])]);
    });
    const nothing = { data: [0], shape: [1, 1] };
    const three = { data: [0, 0, 0], shape: [3, 1] };
    const v = { data: [1, 10, 100], shape: [3, 1] };
    test('ALiBi falls with the distance on both sides of the position', () => {
      const alibi = { data: [2], shape: [1] };
      const { biased, scores } = attention(nothing, three, v, { alibi, queryOffset: 1 });
      expect(Array.from(biased.data)).toEqual([-2, 0, -2]);
      expect(Array.from(scores.data)).toEqual([0, 0, 0]);
    });
    test('a window of [0,1] at position 1 leaves keys 1 and 2', () => {
      expect(attention(nothing, three, v, { window: [0, 1], queryOffset: 1 }).output.data[0]).toBe(55);
      expect(attention(nothing, three, v, { window: [1, 0], queryOffset: 1 }).output.data[0]).toBe(5.5);
      expect(attention(nothing, three, v, { window: [-1, -1], queryOffset: 9 }).output.data[0]).toBeCloseTo(37, 12);
    });
    test('a softcap of c is c·tanh(s/c): nearly c far out, nearly the score within', () => {
      const of = (key: number, softcap: number) => {
        const k = { data: [key], shape: [1, 1] };
        return attention({ data: [1], shape: [1, 1] }, k, k, { softcap });
      };
      expect(of(1000, 3).softcapped.data[0]).toBe(3);
      expect(of(1000, 3).scores.data[0]).toBe(1000);
      expect(of(-1e-3, 3).biased.data[0]).toBeCloseTo(-1e-3, 9);
      expect(of(2, 2).biased.data[0]).toBeCloseTo(2 * ((Math.E ** 2 - 1) / (Math.E ** 2 + 1)), 14);
    });
    test('a sink of 0 beside one key of score 0 takes half; where nothing is attended it is the logSumExp', () => {
      const one = { data: [0], shape: [1, 1] };
      const sinks = { data: [0], shape: [1] };
      const got = attention(nothing, one, { data: [8], shape: [1, 1] }, { sinks });
      expect([got.output.data[0], got.probabilities.data[0]]).toEqual([4, 0.5]);
      expect(got.logSumExp.data[0]).toBeCloseTo(Math.LN2, 15);
      const empty = attention(nothing, one, one, { sinks: { data: [-2.5], shape: [1] }, kvLengths: [0] });
      expect([empty.output.data[0], empty.probabilities.data[0], empty.logSumExp.data[0]]).toEqual([0, 0, -2.5]);
    });
    test('a rule is asked for positions', () => {
      const asked = attention(nothing, three, v, { rule: ({ p, i, j }) => i === 0 && j === p, queryOffset: 2 });
      expect(Array.from(asked.probabilities.data)).toEqual([0, 0, 1]);
    });
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
  const cases = casesArePresent ? readCases() : [];
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    // The expected numbers were computed in float32, or rounded to halves.
    const tolerance = (want: Exact) => (i: number) => c.tolerance * (1 + Math.abs(want.data[i] as number));
    const { output, weights } = judge(c);
    expectClose(output, c.expected, tolerance(c.expected));
    if (c.op === 'Attention' && c.weights) expectClose(weights as Exact, c.weights, tolerance(c.weights));
  });
  function judge(c: ConformanceCase): { output: Exact; weights?: Exact } {
    switch (c.op) {
      case 'Softmax':
        return { output: layers.softmax(c.x, c.axis) };
      case 'Gelu':
        return { output: layers.map(c.x, c.approximate === 'tanh' ? layers.geluTanh : layers.gelu) };
      case 'LayerNormalization':
        return { output: layers.layerNorm(c.x, c.weight, c.bias, c) };
      case 'RMSNormalization':
        return { output: layers.rmsNorm(c.x, c.weight, c) };
      case 'RotaryEmbedding':
        return { output: rotaryEmbedding(c.x, c.options) };
      case 'Attention': {
        const result = attention(c.q, c.k, c.v, c.options);
        return { output: result.output, weights: result[c.stage] };
      }
    }
  }
});
