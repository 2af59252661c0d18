import { createAttention, type MultiHeadAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { add } from './oracle/layers.ts';
import { toDense } from './oracle/masks.ts';
import { type MultiHead, multiHeadAttention } from './oracle/multi-head.ts';
import { halves, type Numbers } from './oracle/values.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { exactly, randomRules, telling } from './random-rules.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
type Weights = Record<string, Floats>;
interface Kind {
  separate?: boolean;
  biases?: boolean;
}

/** A state dict whose rows have a length of about 1. */
function stateDict(
  { embedDim: E, numHeads: H, numKvHeads = H, kdim = E, vdim = E }: MultiHead,
  kind: Kind = {},
): Weights {
  const kv = numKvHeads * (E / H);
  const matrix = (rows: number, columns: number) => random.tensor([rows, columns], columns ** -0.5);
  const { separate = kdim !== E || vdim !== E, biases = true } = kind;
  return {
    ...(separate
      ? { q_proj_weight: matrix(E, E), k_proj_weight: matrix(kv, kdim), v_proj_weight: matrix(kv, vdim) }
      : { in_proj_weight: matrix(E + 2 * kv, E) }),
    'out_proj.weight': matrix(E, E),
    ...(biases && { in_proj_bias: random.tensor([E + 2 * kv]), 'out_proj.bias': random.tensor([E]) }),
  };
}

/** Rows of length about 1 keep numbers near 1..10; four products in a row lose a few roundings of that. */
const tolerance = (exact: { data: ArrayLike<number> }) => 5e-6 * (1 + largest(exact.data));

forEachVariant(`multiHeadAttention, seed ${seed}`, (engine, variant) => {
  type Inputs = readonly [Floats, Floats, Floats];
  const check = (
    layer: MultiHeadAttention,
    config: MultiHead,
    weights: Record<string, Numbers>,
    x: Inputs,
    options = {},
  ) => {
    const exact = multiHeadAttention(config, weights, x, options);
    const got = layer.forward(...x, { ...options, weights: true, logSumExp: true });
    expectClose(got.output, exact.output, tolerance(exact.output));
    expectClose(got.weights, exact.probabilities, 1e-5);
    expectClose(got.logSumExp, exact.logSumExp, tolerance(exact.logSumExp));
    const bare = layer.forward(...x, options);
    expectClose(bare.output, exact.output, tolerance(exact.output));
    expect([bare.weights, bare.logSumExp]).toEqual([undefined, undefined]);
    return exact;
  };
  const configs: [string, MultiHead, Kind][] = [
    ['packed', { embedDim: 24, numHeads: 3 }, {}],
    ['packed, no biases', { embedDim: 24, numHeads: 3 }, { biases: false }],
    ['separate', { embedDim: 24, numHeads: 3 }, { separate: true }],
    ['separate, no biases', { embedDim: 24, numHeads: 3 }, { separate: true, biases: false }],
    ['kdim and vdim', { embedDim: 24, numHeads: 3, kdim: 10, vdim: 7 }, {}],
    ['kdim alone', { embedDim: 24, numHeads: 3, kdim: 11 }, {}],
    ['vdim alone, no biases', { embedDim: 24, numHeads: 3, vdim: 33 }, { biases: false }],
    ['grouped heads', { embedDim: 32, numHeads: 4, numKvHeads: 2 }, {}],
    ['one key head, kdim', { embedDim: 32, numHeads: 4, numKvHeads: 1, kdim: 9 }, {}],
    ['one head', { embedDim: 8, numHeads: 1 }, {}],
    ['large', { embedDim: 384, numHeads: 12 }, {}],
  ];
  describe.each(configs)('%s', (_, config, kind) => {
    const { embedDim: E, kdim = E, vdim = E } = config;
    test('key and value tensors of their own, batch or none', () => {
      const weights = stateDict(config, kind);
      using layer = engine().multiHeadAttention(config, weights);
      for (const lead of [[2, 5], [5]]) {
        const keys = [...lead.slice(0, -1), 9];
        const x = [
          random.tensor([...lead, E]),
          random.tensor([...keys, kdim]),
          random.tensor([...keys, vdim]),
        ] as const;
        expect(check(layer, config, weights, x).output.shape).toEqual([...lead, E]);
        check(layer, config, weights, x, { causal: 'lower-right' });
      }
    });
    test('float16 weights are widened exactly', () => {
      const weights = stateDict(config, kind);
      const half = (x: Floats): Plain => ({ data: halves(x.data), shape: x.shape, dtype: 'float16' });
      const given = Object.fromEntries(Object.entries(weights).map(([name, x]) => [name, half(x)]));
      using layer = engine().multiHeadAttention(config, given);
      check(layer, config, given, [random.tensor([2, 4, E]), random.tensor([2, 6, kdim]), random.tensor([2, 6, vdim])]);
    });
  });

  const config = { embedDim: 16, numHeads: 2 };
  test('key defaults to query, value to key', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const [x, y] = [random.tensor([2, 6, 16]), random.tensor([2, 4, 16])];
    const self = multiHeadAttention(config, weights, [x, x, x], { causal: true });
    const cross = multiHeadAttention(config, weights, [x, y, y], { causal: true });
    const options = { causal: true, weights: true } as const;
    for (const got of [
      layer.forward(x, options),
      layer.forward(x, undefined, undefined, options),
      layer.forward(x, x, x, options),
    ]) {
      expectClose(got.output, self.output, tolerance(self.output));
      expectClose(got.weights, self.probabilities, 1e-5);
    }
    for (const got of [layer.forward(x, y, undefined, options), layer.forward(x, y, y, options)])
      expectClose(got.output, cross.output, tolerance(cross.output));
    const plain = multiHeadAttention(config, weights, [x, x, x]).output;
    for (const got of [layer.forward(x), layer.forward(x, {}), layer.forward(x, x), layer.forward(x, x, x)])
      expectClose(got.output, plain, tolerance(plain));
  });
  test('every combination of rules, at random', () => {
    const grouped = { embedDim: 32, numHeads: 4, numKvHeads: 2 };
    const weights = stateDict(grouped);
    using layer = engine().multiHeadAttention(grouped, weights);
    for (let n = 0; n < 40; n++) {
      const sizes = { B: random.integer(1, 3), H: 4, Sq: random.integer(1, 40), Skv: random.pick([1, 5, 33, 64, 65]) };
      const rules = randomRules(random, sizes);
      const [q, k, v] = [sizes.Sq, sizes.Skv, sizes.Skv].map((S) => random.tensor([sizes.B, S, 32])) as [
        Floats,
        Floats,
        Floats,
      ];
      const exact = multiHeadAttention(grouped, weights, [q, k, v], exactly(rules, sizes));
      telling(rules, sizes, () => {
        const got = layer.forward(q, k, v, { ...rules.options, weights: 'biased', logSumExp: true });
        expectClose(got.output, exact.output, tolerance(exact.output));
        expectClose(got.weights, exact.biased, tolerance(exact.biased));
        expectClose(got.logSumExp, exact.logSumExp, tolerance(exact.logSumExp));
      });
    }
  });
  test('averageWeights gives the mean of the heads, of every stage', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const x = random.tensor([2, 7, 16]);
    const options = { causal: true, softcap: 1, mask: random.tensor([2, 1, 7, 7]) } as const;
    const exact = multiHeadAttention(config, weights, [x, x, x], options);
    for (const stage of ['scores', 'softcapped', 'biased', 'probabilities'] as const) {
      const got = layer.forward(x, { ...options, weights: stage, averageWeights: true });
      expect(got.weights.shape).toEqual([2, 7, 7]);
      expectClose(got.weights, exact.averaged(stage), tolerance(exact.averaged(stage)));
      expectClose(
        layer.forward(x, { ...options, weights: stage, averageWeights: false }).weights,
        exact[stage],
        tolerance(exact[stage]),
      );
    }
    expectClose(
      layer.forward(x, { ...options, weights: true, averageWeights: true }).weights,
      exact.averaged('probabilities'),
      1e-5,
    );
  });
  test('a Mask rule, an attention mask, an empty row', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const x = random.tensor([2, 5, 16]);
    const attentionMask = { data: BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 1n, 1n, 0n, 0n, 0n), shape: [2, 5] };
    const mask = masks.slidingWindow(1, 1);
    const dense = toDense(({ p, j }) => Math.abs(p - j) <= 1, { batch: 2, heads: 2, queries: 5, keys: 5 });
    const exact = multiHeadAttention(config, weights, [x, x, x], { attentionMask, mask: dense });
    expectClose(layer.forward(x, { attentionMask, mask }).output, exact.output, tolerance(exact.output));
    const bias = Array.from((weights['out_proj.bias'] as Floats).data);
    const { output } = layer.forward(x, { kvLengths: [0, 5] });
    for (let s = 0; s < 5; s++) expect(Array.from(output.data.subarray(s * 16, s * 16 + 16))).toEqual(bias);
  });
  test('NaN in keys and values that are masked does not leak', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const [q, k, v] = [random.tensor([2, 5, 16]), random.tensor([2, 70, 16]), random.tensor([2, 70, 16])];
    const want = layer.forward(q, k, v, { kvLengths: [66, 3] }).output;
    for (const x of [k, v]) x.data.fill(NaN, 66 * 16, 70 * 16).fill(-Infinity, 73 * 16, 140 * 16);
    expectClose(layer.forward(q, k, v, { kvLengths: [66, 3] }).output, want, 0);
    expectClose(layer.forward(q, k, v, { mask: masks.keyPadding([66, 3]) }).output, want, 1e-5);
  });
  test('out: array and tensor; resident inputs', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const x = random.tensor([2, 3, 16]);
    const want = layer.forward(x).output;
    const array = new Float32Array(96);
    expect(layer.forward(x, { out: array }).output.data).toBe(array);
    expectClose({ data: array, shape: [2, 3, 16] }, want, 0);
    using out = engine().zeros([2, 3, 16]);
    using resident = engine().tensor(x);
    expect(layer.forward(resident, resident, resident, { out }).output).toBe(out);
    expectClose(out, want, 0);
  });

  describe('the weights', () => {
    test('are copied: arrays may change and tensors go afterwards', () => {
      const weights = stateDict(config);
      const x = random.tensor([3, 16]);
      const want = multiHeadAttention(config, weights, [x, x, x]).output;
      const arrays = Object.fromEntries(
        Object.entries(weights).map(([name, w]) => [name, { ...w, data: w.data.slice() }]),
      );
      const tensors = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, engine().tensor(w)]));
      using fromArrays = engine().multiHeadAttention(config, arrays);
      using fromTensors = engine().multiHeadAttention(config, tensors);
      for (const { data } of Object.values(arrays)) data.fill(NaN);
      for (const tensor of Object.values(tensors)) {
        (tensor.data as Float32Array).fill(NaN);
        tensor.dispose();
      }
      const held = Array.from({ length: 8 }, () =>
        engine().tensor({ data: new Float32Array(5000).fill(NaN), shape: [5000] }),
      );
      for (const layer of [fromArrays, fromTensors]) expectClose(layer.forward(x).output, want, tolerance(want));
      for (const tensor of held) tensor.dispose();
    });
    test('may be tensors although their copies make memory grow', async () => {
      const own = await createAttention({ variant });
      const large = { embedDim: 512, numHeads: 8 };
      const weights = stateDict(large);
      const x = random.tensor([2, 512]);
      const want = multiHeadAttention(large, weights, [x, x, x]).output;
      const bytes = own.info.memoryBytes;
      const tensors = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, own.tensor(w)]));
      const layers = Array.from({ length: 4 }, () => own.multiHeadAttention(large, tensors));
      expect(own.info.memoryBytes).toBeGreaterThan(bytes);
      for (const layer of layers) expectClose(layer.forward(x).output, want, tolerance(want));
      own.dispose();
    });
    test('go with dispose, and twice is fine', () => {
      const layer = engine().multiHeadAttention(config, stateDict(config));
      layer.dispose();
      layer.dispose();
      expect(() => layer.forward(random.tensor([3, 16]))).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      expectClose(engine().relu({ data: Float32Array.of(-1, 3), shape: [2] }), { data: [0, 3], shape: [2] }, 0);
    });
    test('give their memory back', async () => {
      const own = await createAttention({ variant });
      const large = { embedDim: 512, numHeads: 8 };
      const weights = stateDict(large); // 4 MiB
      for (let n = 0; n < 2; n++) own.multiHeadAttention(large, weights).dispose();
      const settled = own.info.memoryBytes;
      for (let n = 0; n < 60; n++) {
        using layer = own.multiHeadAttention(large, weights);
        if (n % 20 === 0) layer.forward(random.tensor([4, 512]));
      }
      expect(own.info.memoryBytes).toBeLessThanOrEqual(settled + (1 << 20));
      own.dispose();
    });
    test('of a refused layer are given back too', async () => {
      const own = await createAttention({ variant });
      const large = { embedDim: 512, numHeads: 8 };
      const weights: Record<string, Floats> = { ...stateDict(large), 'out_proj.bias': random.tensor([511]) };
      const refuse = () =>
        expect(() => own.multiHeadAttention(large, weights)).toThrow(
          expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
        );
      for (let n = 0; n < 2; n++) refuse();
      const settled = own.info.memoryBytes;
      for (let n = 0; n < 60; n++) refuse();
      expect(own.info.memoryBytes).toBe(settled);
      own.dispose();
    });
    test('that do not fit leave nothing behind', async () => {
      const own = await createAttention({ variant, maximumMemoryBytes: 24 << 20 });
      const large = { embedDim: 1024, numHeads: 8 };
      const weights = stateDict(large, { biases: false }); // 16 MiB
      own.zeros([2 << 20]); // 8 MiB
      const [x, y] = [random.tensor([2, 1024]), random.tensor([2, 1024])];
      for (let n = 0; n < 3; n++)
        expect(() => own.multiHeadAttention(large, weights)).toThrow(
          expect.objectContaining({ code: 'OUT_OF_MEMORY' }),
        );
      own.zeros([2 << 20]).dispose();
      expectClose(own.add(x, y), add(x, y), 1e-6);
      own.dispose();
    });
    test('go with the engine', async () => {
      const own = await createAttention({ variant });
      const layer = own.multiHeadAttention(config, stateDict(config));
      own.dispose();
      expect(() => layer.forward(random.tensor([3, 16]))).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      layer.dispose();
    });
  });
});
