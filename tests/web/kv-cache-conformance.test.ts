import type { Attention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { type ConformanceCase, casesArePresent, readCases, whereCasesBelong } from './onnx-cases.ts';
import type { Numbers } from './oracle/values.ts';
import { allVariants, forEachVariant } from './variants.ts';

type WithPast = Extract<ConformanceCase, { op: 'Attention' }> & { past: { k: Numbers; v: Numbers } };

const cases = (casesArePresent ? readCases() : []).filter(
  (c): c is WithPast => c.op === 'Attention' && c.past !== undefined,
);

test('which ONNX cases have a past', () => {
  if (!casesArePresent) {
    console.warn(
      `\n*** CONFORMANCE OF THE CACHE WAS NOT RUN: no ${whereCasesBelong}, and ATTENTION_WASM_CASES names no other folder. ***\n`,
    );
    return;
  }
  console.log(
    `ONNX conformance, ${cases.length} cases through a cache:\n${cases.map((c) => `  ${c.name}`).join('\n')}`,
  );
  expect(new Set(cases.map(({ name }) => name)).size).toBe(8);
});

/** The past is appended; what comes now is attended. What only the cache knows is left to it: where the queries stand. */
function throughCache(
  engine: Attention,
  { q, past, now, options, stage, weights }: WithPast,
  dtype: 'float32' | 'float16',
) {
  const [B = 0, H = 0, P = 0, D = 0] = past.k.shape;
  const capacity = P + (now.k.shape.at(-2) as number);
  using cache = engine.kvCache({
    batch: B,
    numKvHeads: H,
    headDim: D,
    valueDim: past.v.shape[3] as number,
    capacity,
    dtype,
  });
  cache.append(past.k as never, past.v as never);
  const { queryOffset, causal = false, ...rest } = options;
  expect(queryOffset).toBe(P);
  const given = { ...(rest as object), causal, weights: weights ? stage : false };
  return cache.attend(q as never, now.k as never, now.v as never, given as never);
}

if (casesArePresent)
  forEachVariant(
    'ONNX conformance of the cache',
    (engine) => {
      // Halves are kept as they are by a cache of halves.
      const kinds = cases.flatMap((c) =>
        (c.past.k.dtype === 'float16' ? (['float32', 'float16'] as const) : (['float32'] as const)).map(
          (dtype) => [c.name, dtype, c] as const,
        ),
      );
      test.each(kinds)('%s in %s', (_, dtype, c) => {
        const { output, weights } = throughCache(engine(), c, dtype);
        // As in conformance.test.ts: absolute and relative tolerance are the same number.
        const tolerance = (want: ArrayLike<number>) => (i: number) => c.tolerance * (1 + Math.abs(want[i] as number));
        expectClose(output, c.expected, tolerance(c.expected.data));
        expect(weights === undefined).toBe(c.weights === undefined);
        if (c.weights) expectClose(weights as never, c.weights, tolerance(c.weights.data));
      });
    },
    allVariants,
  );
