import type { ProjectionWeights } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { crossAttention, selfAttention } from './oracle/layers.ts';
import { type Floats, Random, seed } from './random.ts';
import { exactly, randomRules, telling } from './random-rules.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

interface Sizes {
  E: number;
  context?: number;
  H: number;
  Hkv?: number;
  D: number;
  Dv?: number;
  output?: boolean;
  biases?: boolean;
}

function projections({
  E,
  context = E,
  H,
  Hkv = H,
  D,
  Dv = D,
  output = true,
  biases = true,
}: Sizes): ProjectionWeights<Floats> {
  const matrix = (rows: number, columns: number) => random.tensor([rows, columns], columns ** -0.5);
  return {
    query: matrix(H * D, E),
    key: matrix(Hkv * D, context),
    value: matrix(Hkv * Dv, context),
    ...(output && { output: matrix(E, H * Dv) }),
    ...(biases && {
      queryBias: random.tensor([H * D]),
      keyBias: random.tensor([Hkv * D]),
      valueBias: random.tensor([Hkv * Dv]),
    }),
    ...(biases && output && { outputBias: random.tensor([E]) }),
  };
}

/** Projections with rows of length about 1 keep numbers near 1..10; four products in a row lose a few roundings of that. */
const tolerance = (exact: { data: ArrayLike<number> }) => 5e-6 * (1 + largest(exact.data));

forEachVariant(`attention with projections, seed ${seed}`, (engine) => {
  const sizes: [string, Sizes][] = [
    ['one head by default', { E: 8, H: 1, D: 8 }],
    ['heads', { E: 24, H: 3, D: 8 }],
    ['heads of another size than E/H', { E: 20, H: 3, D: 8 }],
    ['grouped heads', { E: 32, H: 4, Hkv: 2, D: 8 }],
    ['values of another size', { E: 16, H: 2, D: 8, Dv: 5 }],
    ['no output projection', { E: 16, H: 2, D: 8, Dv: 5, output: false }],
    ['no biases', { E: 16, H: 2, D: 8, biases: false }],
    ['MiniLM', { E: 384, H: 12, D: 32 }],
  ];
  const headOptions = ({ H, Hkv }: Sizes) => ({ ...(H > 1 && { numHeads: H }), ...(Hkv && { numKvHeads: Hkv }) });

  describe.each(sizes)('%s', (_, size) => {
    const w = projections(size);
    test.each([[[5, size.E]], [[2, 9, size.E]]])('selfAttention of [%s]', (shape) => {
      const x = random.tensor(shape);
      const options = headOptions(size);
      const exact = selfAttention(x, w, options);
      const got = engine().selfAttention(x, w, { ...options, weights: true, logSumExp: true });
      const width = size.output === false ? size.H * (size.Dv ?? size.D) : size.E;
      expect(got.output.shape).toEqual([...shape.slice(0, -1), width]);
      expectClose(got.output, exact.output, tolerance(exact.output));
      expectClose(got.weights, exact.probabilities, 5e-6);
      expectClose(got.logSumExp, exact.logSumExp, tolerance(exact.logSumExp));
    });
    test('crossAttention with a context of another size', () => {
      const other = { ...size, context: 11 };
      const cross = projections(other);
      const [x, context] = [random.tensor([2, 5, size.E]), random.tensor([2, 7, 11])];
      const exact = crossAttention(x, context, cross, headOptions(size));
      const got = engine().crossAttention(x, context, cross, { ...headOptions(size), weights: true });
      expectClose(got.output, exact.output, tolerance(exact.output));
      expectClose(got.weights, exact.probabilities, 5e-6);
    });
  });

  test('rules reach the attention inside', () => {
    const size = { E: 16, H: 2, D: 8 };
    const w = projections(size);
    const x = random.tensor([2, 6, 16]);
    const attentionMask = {
      data: Uint8Array.of(1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0),
      shape: [2, 6],
      dtype: 'bool',
    } as const;
    for (const rules of [
      { causal: true },
      { attentionMask },
      { kvLengths: [4, 2] },
      { mask: random.tensor([2, 6, 6]) },
      { scale: 0.1 },
      { window: [1, 2] as const },
      { softcap: 0.7 },
      { alibi: true },
      { alibi: { data: Float32Array.of(0.3, 2), shape: [2] } },
      { sinks: random.tensor([2]) },
      { causal: true, queryOffset: [2, -1] },
    ]) {
      const exact = selfAttention(x, w, { numHeads: 2, ...rules });
      const got = engine().selfAttention(x, w, { numHeads: 2, ...rules, weights: 'biased' });
      expectClose(got.output, exact.output, tolerance(exact.output));
      expectClose(got.weights, exact.biased, 2e-5);
    }
  });
  test('every combination of rules, at random', () => {
    const size = { E: 16, H: 4, Hkv: 2, D: 6, Dv: 5 };
    const w = projections(size);
    for (let n = 0; n < 40; n++) {
      const sizes = { B: random.integer(1, 3), H: 4, Sq: random.integer(1, 40), Skv: random.pick([1, 5, 33, 64, 65]) };
      const rules = randomRules(random, sizes);
      const [x, context] = [random.tensor([sizes.B, sizes.Sq, 16]), random.tensor([sizes.B, sizes.Skv, 16])];
      const heads = { numHeads: 4, numKvHeads: 2 };
      const exact = crossAttention(x, context, w, { ...heads, ...exactly(rules, sizes) });
      telling(rules, sizes, () => {
        const options = { ...heads, ...rules.options, weights: true, logSumExp: true } as const;
        const got = engine().crossAttention(x, context, w, options);
        expectClose(got.output, exact.output, tolerance(exact.output));
        expectClose(got.weights, exact.probabilities, 1e-5);
        expectClose(got.logSumExp, exact.logSumExp, tolerance(exact.logSumExp));
      });
    }
  });
  test('an empty row comes out as the output bias', () => {
    const w = projections({ E: 16, H: 2, D: 8 });
    const { output } = engine().selfAttention(random.tensor([3, 16]), w, { numHeads: 2, kvLengths: [0] });
    for (let s = 0; s < 3; s++)
      expect(Array.from(output.data.subarray(s * 16, s * 16 + 16))).toEqual(Array.from((w.outputBias as Floats).data));
  });
});
