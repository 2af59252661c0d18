import type { Attention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { type ConformanceCase, casesArePresent, readCases, whereCasesBelong } from './onnx-cases.ts';
import type { Plain } from './random.ts';
import { forEachVariant } from './variants.ts';

const { cases, notInScope } = casesArePresent ? readCases() : { cases: [], notInScope: [] };

test('which ONNX cases are asked', () => {
  if (!casesArePresent) {
    console.warn(
      `\n*** CONFORMANCE WAS NOT RUN: no ${whereCasesBelong}, and ATTENTION_WASM_CASES names no other folder. ***\n`,
    );
    return;
  }
  const asked = cases.map(({ name }) => `  ${name}`).join('\n');
  const others = notInScope.map(({ name, reason }) => `  ${name}: ${reason}`).join('\n');
  console.log(
    `ONNX conformance, ${cases.length} cases asked:\n${asked}\n${notInScope.length} not in scope:\n${others}`,
  );
  expect(cases.length).toBeGreaterThanOrEqual(35);
});

function run(engine: Attention, c: ConformanceCase): void {
  // The cases' numbers come from float32 or float16: absolute and relative tolerance are the same number.
  const tolerance = (i: number) => c.tolerance * (1 + Math.abs(c.expected.data[i] as number));
  if (c.op === 'Softmax') expectClose(engine.softmax(c.x as Plain, { axis: c.axis }), c.expected, tolerance);
  if (c.op === 'Gelu') expectClose(engine.gelu(c.x as Plain), c.expected, tolerance);
  if (c.op === 'LayerNormalization') {
    const { axis, epsilon } = c;
    expectClose(
      engine.layerNorm(c.x as Plain, c.weight as Plain, c.bias as Plain, { axis, epsilon }),
      c.expected,
      tolerance,
    );
  }
  if (c.op !== 'Attention') return;
  const want = c.weights;
  const got = engine.scaledDotProductAttention(c.q as Plain, c.k as Plain, c.v as Plain, {
    ...(c.options as object),
    ...(want && { weights: c.stage }),
  });
  expectClose(got.output, c.expected, tolerance);
  if (want) expectClose(got.weights as never, want, (i) => c.tolerance * (1 + Math.abs(want.data[i] as number)));
}

if (casesArePresent)
  forEachVariant('ONNX conformance', (engine) => {
    test.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => run(engine(), c));
  });
