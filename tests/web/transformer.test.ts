import { createAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { attention } from './oracle/attention.ts';
import { slidingWindow, toDense } from './oracle/masks.ts';
import { type Config, type Masks, transformer } from './oracle/transformer.ts';
import { halves } from './oracle/values.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { isDecoder, isStack, load, type TorchModule, torchModules } from './torch-modules.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
type Weights = Record<string, Floats>;

/** Matrices whose rows have a length of about 1, norms around 1. */
function layerOf(E: number, F: number, decoder: boolean, biases: boolean): Weights {
  const matrix = (rows: number, columns: number) => random.tensor([rows, columns], columns ** -0.5);
  const heads = (name: string): Weights => ({
    [`${name}.in_proj_weight`]: matrix(3 * E, E),
    [`${name}.out_proj.weight`]: matrix(E, E),
    ...(biases && { [`${name}.in_proj_bias`]: random.tensor([3 * E]), [`${name}.out_proj.bias`]: random.tensor([E]) }),
  });
  return {
    ...heads('self_attn'),
    ...(decoder && heads('multihead_attn')),
    'linear1.weight': matrix(F, E),
    'linear2.weight': matrix(E, F),
    ...(biases && { 'linear1.bias': random.tensor([F]), 'linear2.bias': random.tensor([E]) }),
    ...Object.assign({}, ...(decoder ? [1, 2, 3] : [1, 2]).map((n) => normOf(`norm${n}`, E, biases))),
  };
}

function normOf(name: string, E: number, biases: boolean): Weights {
  const weight = random.tensor([E], 0.3);
  for (let i = 0; i < E; i++) weight.data[i] = 1 + (weight.data[i] as number);
  return { [`${name}.weight`]: weight, ...(biases && { [`${name}.bias`]: random.tensor([E]) }) };
}

const prefixed = <T>(prefix: string, weights: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(weights).map(([name, value]) => [prefix + name, value]));

interface Form {
  E?: number;
  F?: number;
  biases?: boolean;
  layers?: number;
  norm?: boolean;
}

function stateDict(module: TorchModule, form: Form = {}): Weights {
  const { E = 24, F = 40, biases = true, layers = 2, norm = true } = form;
  const one = () => layerOf(E, F, isDecoder(module), biases);
  if (!isStack(module)) return one();
  const all = Array.from({ length: layers }, (_, n) => prefixed(`layers.${n}.`, one()));
  return Object.assign({}, ...all, norm && normOf('norm', E, biases));
}

/** About ten roundings of numbers near 1..10 for each part of a layer. */
const tolerance = (exact: { data: ArrayLike<number> }) => 1e-5 * (1 + largest(exact.data));

const padding = (...lengths: number[][]): Plain => {
  const [count = 0] = [lengths[0]?.length];
  return { data: Int32Array.from(lengths.flat()), shape: [lengths.length, count], dtype: 'int32' };
};
const allowed = (rows: number[][]): Plain => ({
  data: Uint8Array.from(rows.flat()),
  shape: [rows.length, (rows[0] as number[]).length],
  dtype: 'bool',
});
/** Of 2 sequences of 4, and 2 memories of 5. */
const someMasks: [string, Masks<Plain>][] = [
  ['no mask', {}],
  ['causal', { causal: true }],
  ['padding', { attentionMask: padding([1, 1, 1, 1], [1, 1, 0, 0]) }],
  [
    'a mask',
    {
      mask: allowed([
        [1, 0, 1, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 1],
        [1, 0, 0, 1],
      ]),
    },
  ],
  [
    'a float mask, causal, padding',
    {
      causal: true,
      mask: { data: Float32Array.from({ length: 16 }, () => random.normal()), shape: [4, 4] },
      attentionMask: padding([1, 1, 1, 1], [1, 1, 1, 0]),
    },
  ],
];
const memoryMasks: typeof someMasks = [
  ['memory padding', { causal: true, memoryAttentionMask: padding([1, 1, 1, 1, 0], [1, 1, 0, 0, 0]) }],
  [
    'a memory mask',
    {
      memoryMask: allowed([
        [1, 0, 1, 0, 0],
        [1, 1, 0, 0, 1],
        [0, 1, 1, 1, 1],
        [1, 0, 0, 1, 0],
      ]),
      memoryAttentionMask: padding([1, 1, 1, 1, 1], [1, 1, 1, 1, 0]),
    },
  ],
];

const configs: [string, Config, Form][] = [
  ['as torch has it', { numHeads: 3 }, {}],
  ['gelu, no biases', { numHeads: 3, activation: 'gelu' }, { biases: false, norm: false }],
  ['norm first', { numHeads: 2, normFirst: true }, { layers: 3 }],
  [
    'norm first, gelu, no biases, another epsilon',
    { numHeads: 4, normFirst: true, activation: 'gelu', layerNormEpsilon: 0.1 },
    { biases: false },
  ],
  ['one head, narrow', { numHeads: 1, activation: 'relu', normFirst: false }, { E: 8, F: 3, layers: 1 }],
];

forEachVariant(`torch's transformers, seed ${seed}`, (engine, variant) => {
  const [x, memory] = [random.tensor([2, 4, 24]), random.tensor([2, 5, 24])];

  describe.each(torchModules)('%s', (module) => {
    const decoder = isDecoder(module);

    describe.each(configs)('%s', (_, config, form) => {
      const weights = stateDict(module, form);
      const { E = 24 } = form;
      test.each(decoder ? [...someMasks, ...memoryMasks] : someMasks)('%s', (_, options) => {
        using layer = load(engine(), module, config, weights);
        const [x, memory] = [random.tensor([2, 4, E]), random.tensor([2, 5, E])];
        const exact = transformer(config, weights, x, decoder ? memory : undefined, options);
        const got = layer.forward(x, memory, { ...options, weights: true });
        expectClose(got.output, exact.output, tolerance(exact.output));
        expect([got.weights?.length, got.crossWeights?.length ?? 0]).toEqual([
          exact.weights.length,
          exact.crossWeights.length,
        ]);
        for (const [n, want] of exact.weights.entries()) expectClose(got.weights?.[n] as never, want, 2e-5);
        for (const [n, want] of exact.crossWeights.entries()) expectClose(got.crossWeights?.[n] as never, want, 2e-5);
        const bare = layer.forward(x, memory, options);
        expectClose(bare.output, exact.output, tolerance(exact.output));
        expect([bare.weights, bare.crossWeights]).toEqual([undefined, undefined]);
      });
    });

    const weights = stateDict(module);
    const config = { numHeads: 3 };
    const want = (input = x, context = memory, options: Masks = {}) =>
      transformer(config, weights, input, decoder ? context : undefined, options).output;

    test('without a batch', () => {
      using layer = load(engine(), module, config, weights);
      const [one, its] = [random.tensor([4, 24]), random.tensor([5, 24])];
      const exact = want(one, its, { causal: true });
      const got = layer.forward(one, its, { causal: true, weights: true });
      expectClose(got.output, exact, tolerance(exact));
      expect(got.weights?.[0]?.shape).toEqual([1, 3, 4, 4]);
    });

    test('of nothing', () => {
      using layer = load(engine(), module, config, weights);
      const got = layer.forward(random.tensor([2, 0, 24]), memory, { weights: true });
      expect([got.output.shape, got.weights?.[0]?.shape]).toEqual([
        [2, 0, 24],
        [2, 3, 0, 0],
      ]);
    });

    test('of halves, doubles, tensors, and views of the engine', async () => {
      const own = await createAttention({ variant });
      using layer = load(own, module, config, weights);
      const exact = want();
      const kinds = (t: Floats) => [
        t,
        { data: Float64Array.from(t.data), shape: t.shape },
        own.tensor(t),
        { data: own.tensor(t).data, shape: t.shape },
      ];
      for (const given of kinds(x)) {
        for (const context of kinds(memory)) {
          expectClose(layer.forward(given, context).output, exact, tolerance(exact));
        }
      }
      const half = { data: halves(x.data), shape: x.shape, dtype: 'float16' } as const;
      const ofHalf = transformer(config, weights, half, decoder ? memory : undefined).output;
      expectClose(layer.forward(half, memory).output, ofHalf, tolerance(ofHalf));
      own.dispose();
    });

    test('a mask that is a view of the engine, whose memory grows on the way', async () => {
      const own = await createAttention({ variant });
      const large = stateDict(module, { E: 64, F: 64 });
      using layer = load(own, module, { numHeads: 4 }, large);
      const S = 300;
      const [input, context] = [random.tensor([1, S, 64]), random.tensor([1, 9, 64])];
      const mask = { data: Float32Array.from({ length: S * S }, () => random.normal()), shape: [S, S] };
      const without = layer.forward(input, context, { mask }).output;
      for (let n = 0; n < 12; n++) {
        const view = { data: own.tensor(mask).data, shape: mask.shape };
        expectClose(layer.forward(input, context, { mask: view }).output, without, 0);
      }
      own.dispose();
    });

    test('under a rule, and rows that see nothing', () => {
      using layer = load(engine(), module, config, weights);
      const rule = masks.slidingWindow(1, 0);
      const dense = toDense(slidingWindow(1, 0), { queries: 4, keys: 4 });
      const nothing = allowed([
        [0, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 1],
        [1, 0, 0, 1],
      ]);
      const exact = want(x, memory, { mask: nothing });
      expectClose(layer.forward(x, memory, { mask: nothing }).output, exact, tolerance(exact));
      const windowed = want(x, memory, { mask: dense });
      expectClose(layer.forward(x, memory, { mask: rule }).output, windowed, tolerance(windowed));
    });

    test('into a tensor, an array, and x itself, to the bit', () => {
      using layer = load(engine(), module, config, weights);
      const { output } = layer.forward(x, memory);
      const array = new Float32Array(x.data.length);
      const got = layer.forward(x, memory, { out: array }).output;
      expect(got.data).toBe(array);
      expectClose(got, output, 0);
      using out = engine().zeros(x.shape);
      expect(layer.forward(x, memory, { out }).output).toBe(out);
      expectClose(out, output, 0);
      using itself = engine().tensor(x);
      layer.forward(itself, memory, { out: itself });
      expectClose(itself, output, 0);
    });

    test.each(['', 'module.', 'model.', 'transformer.encoder.', 'layers.7.module.'])('names under "%s"', (prefix) => {
      using plain = load(engine(), module, config, weights);
      using layer = load(engine(), module, config, prefixed(prefix, weights));
      expectClose(layer.forward(x, memory).output, plain.forward(x, memory).output, 0);
    });

    test('weights are copied, of halves too, and an undefined one is none', () => {
      const half = (t: Floats): Plain => ({ data: halves(t.data), shape: t.shape, dtype: 'float16' });
      const given = Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, half(t)]));
      const exact = transformer(config, given, x, decoder ? memory : undefined).output;
      const tensors = Object.fromEntries(Object.entries(given).map(([name, t]) => [name, engine().tensor(t)]));
      using fromArrays = load(engine(), module, config, { ...given, 'self_attn.bias_k': undefined as never });
      using fromTensors = load(engine(), module, config, tensors);
      for (const { data } of Object.values(given)) (data as Uint16Array).fill(0);
      for (const tensor of Object.values(tensors)) tensor.dispose();
      for (const layer of [fromArrays, fromTensors]) {
        expectClose(layer.forward(x, memory).output, exact, tolerance(exact));
      }
    });

    test('gives its memory back, of refused layers and calls too', async () => {
      const own = await createAttention({ variant });
      const large = stateDict(module, { E: 128, F: 256 });
      const input = random.tensor([1, 200, 128]);
      const last = Object.keys(large)
        .filter((name) => name.endsWith('norm2.weight'))
        .at(-1) as string;
      const once = () => {
        {
          using layer = load(own, module, { numHeads: 4 }, large);
          layer.forward(input, input);
          const wrong = { mask: random.tensor([7, 7]) };
          expect(() => layer.forward(input, input, wrong)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
          const out = new Float32Array(3);
          expect(() => layer.forward(input, input, { out })).toThrow(
            expect.objectContaining({ argument: 'options.out' }),
          );
        }
        const short = { ...large, [last]: random.tensor([127]) };
        expect(() => load(own, module, { numHeads: 4 }, short)).toThrow(
          expect.objectContaining({ code: 'SHAPE_MISMATCH', argument: `stateDict.${last}` }),
        );
        expect(() => load(own, module, { numHeads: 5 }, large)).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'config.numHeads' }),
        );
      };
      for (let n = 0; n < 3; n++) once();
      const settled = own.info.memoryBytes;
      for (let n = 0; n < 30; n++) once();
      expect(own.info.memoryBytes).toBe(settled);
      own.dispose();
    });

    test('that does not fit leaves nothing behind', async () => {
      const own = await createAttention({ variant, maximumMemoryBytes: 8 << 20 });
      const [E, F] = [256, 16384]; // matrices of 16 MiB behind heads of 1 MiB
      const wide = { data: new Float32Array(E * F), shape: [F, E] };
      const sized: Weights = {
        'linear1.weight': wide,
        'linear1.bias': { data: new Float32Array(F), shape: [F] },
        'linear2.weight': { ...wide, shape: [E, F] },
      };
      const large = Object.fromEntries(
        Object.entries(stateDict(module, { E })).map(([name, tensor]) => {
          return [name, sized[name.replace(/^layers\.\d+\./, '')] ?? tensor];
        }),
      );
      const refuse = () =>
        expect(() => load(own, module, { numHeads: 4 }, large)).toThrow(
          expect.objectContaining({ code: 'OUT_OF_MEMORY', argument: 'stateDict' }),
        );
      /** How many tensors of 256 KiB there is room for. */
      const room = () => {
        const tensors: { dispose(): void }[] = [];
        expect(() => {
          for (;;) tensors.push(own.zeros([1 << 16]));
        }).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
        for (const tensor of tensors) tensor.dispose();
        return tensors.length;
      };
      refuse();
      const settled = room();
      for (let n = 0; n < 5; n++) refuse();
      expect(room()).toBeGreaterThanOrEqual(settled);
      using layer = load(own, module, config, weights);
      const long = { data: new Float32Array(24e5), shape: [1e5, 24] };
      expect(() => layer.forward(long, long)).toThrow(
        expect.objectContaining({ code: 'OUT_OF_MEMORY', argument: 'x' }),
      );
      own.dispose();
    });

    test('is gone after dispose, twice is fine, and with its engine', async () => {
      const layer = load(engine(), module, config, weights);
      layer.dispose();
      layer.dispose();
      expect(() => layer.forward(x, memory)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      const own = await createAttention({ variant });
      const other = load(own, module, config, weights);
      own.dispose();
      expect(() => other.forward(x, memory)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      other.dispose();
      const [q, k] = [random.tensor([4, 8]), random.tensor([4, 8])];
      expectClose(engine().scaledDotProductAttention(q, k, k).output, attention(q, k, k).output, 1e-5);
    });
  });
});
