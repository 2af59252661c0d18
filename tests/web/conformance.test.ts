import type { Attention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { type ConformanceCase, casesArePresent, readCases, whereCasesBelong } from './onnx-cases.ts';
import type { Plain } from './random.ts';
import { allVariants, forEachVariant } from './variants.ts';

const cases = casesArePresent ? readCases() : [];

test('which ONNX cases are asked', () => {
  if (!casesArePresent) {
    console.warn(
      `\n*** CONFORMANCE WAS NOT RUN: no ${whereCasesBelong}, and ATTENTION_WASM_CASES names no other folder. ***\n`,
    );
    return;
  }
  console.log(`ONNX conformance, ${cases.length} cases asked:\n${cases.map(({ name }) => `  ${name}`).join('\n')}`);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(51);
});

/** The case's operator by the package, and the attention weights where the case has them. */
function run(engine: Attention, c: ConformanceCase): { output: Plain; weights?: Plain | undefined } {
  const plain = (tensor: unknown) => tensor as Plain;
  switch (c.op) {
    case 'Softmax':
      return { output: engine.softmax(plain(c.x), { axis: c.axis }) };
    case 'Gelu':
      return { output: engine.gelu(plain(c.x), { approximate: c.approximate }) };
    case 'LayerNormalization': {
      const { axis, epsilon } = c;
      return { output: engine.layerNorm(plain(c.x), plain(c.weight), plain(c.bias), { axis, epsilon }) };
    }
    case 'RMSNormalization':
      return { output: engine.rmsNorm(plain(c.x), plain(c.weight), { axis: c.axis, epsilon: c.epsilon }) };
    case 'RotaryEmbedding':
      return { output: engine.rotaryEmbedding(plain(c.x), c.options as object) };
    case 'Attention': {
      const options = { ...(c.options as object), weights: c.weights ? c.stage : false };
      return engine.scaledDotProductAttention(plain(c.q), plain(c.k), plain(c.v), options);
    }
  }
}

if (casesArePresent)
  forEachVariant(
    'ONNX conformance',
    (engine) => {
      test.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
        const { output, weights } = run(engine(), c);
        // The cases' numbers come from float32 or float16: absolute and relative tolerance are the same number.
        const tolerance = (want: ArrayLike<number>) => (i: number) => c.tolerance * (1 + Math.abs(want[i] as number));
        expectClose(output as never, c.expected, tolerance(c.expected.data));
        if (c.op !== 'Attention') return;
        expect(weights === undefined).toBe(c.weights === undefined);
        if (c.weights) expectClose(weights as never, c.weights, tolerance(c.weights.data));
      });
    },
    allVariants,
  );
