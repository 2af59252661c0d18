import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectAttention, expectEverything, type Inputs, type Options } from './against-oracle.ts';
import { callOf } from './arbitrary/call.ts';
import { type Recipe, recipes } from './arbitrary/recipe.ts';
import { expectClose } from './compare.ts';
import { fromHalf } from './oracle/values.ts';
import { type Floats, inType, type Plain, Random, seed } from './random.ts';
import { quantised } from './stored.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

// Lengths and widths about the lanes, the tiles, the few queries whose keys are read in place, and a block of keys.
const near = (...steps: number[]) => fc.constantFrom(...steps.flatMap((step) => [step - 1, step, step + 1]));
const width = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(8, 16, 24, 32, 40, 64) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 33 }) },
);
const keys = fc.oneof(
  { weight: 4, arbitrary: near(4, 8, 16, 128) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 41, max: 300 }) },
);
const types = fc.constantFrom('float32' as const, 'float16' as const, 'int8' as const);
const sizes = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  Hkv: fc.integer({ min: 1, max: 2 }),
  groups: fc.constantFrom(1, 2, 3, 4, 8, 32),
  Sq: fc.integer({ min: 1, max: 9 }),
  Skv: keys,
  D: width,
  Dv: width,
});
const calls: fc.Arbitrary<Recipe> = fc
  .tuple(recipes, fc.record({ sizes, k: types, v: types }))
  .map(([recipe, { sizes, k, v }]) => ({ ...recipe, sizes, types: [recipe.types[0], k, v] }));

const queries = [1, 5, 9, 70];

forEachVariant(`keys and values as they are stored, seed ${seed}`, (engine) => {
  test.for(Array.from({ length: 8 }, (_, group) => group))('group %i of 8 of random calls', (group) => {
    const property = fc.property(calls, (recipe) => {
      const { inputs, options, manner } = callOf(recipe);
      expectAttention(engine(), inputs, options, manner);
    });
    fc.assert(property, { seed: seed + group, numRuns: 120 });
  });

  describe.each(queries)('%i queries', (Sq) => {
    const ones = (...shape: number[]): Floats => ({
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
      shape,
    });
    const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

    test('every half is read as it is: one key gives its value', () => {
      const values: Plain = { data: halves, shape: [4096, 1, 1, 16], dtype: 'float16' };
      const { output } = engine().scaledDotProductAttention(ones(4096, 1, Sq, 8), ones(4096, 1, 1, 8), values);
      const row = (n: number) => Math.floor(n / (16 * Sq)) * 16 + (n % 16);
      const want = Float64Array.from(output.data, (_, n) => fromHalf(row(n)));
      expectClose(output, { data: want, shape: [4096, 1, Sq, 16] }, 0);
    });
    test('every half is read as it is: alone in its key it is the score', () => {
      const places = Uint16Array.from({ length: 65_536 * 8 }, (_, n) => (n % 8 === (n >> 3) % 8 ? n >> 3 : 0));
      const k: Plain = { data: places, shape: [65_536, 8], dtype: 'float16' };
      const { weights } = engine().scaledDotProductAttention(ones(Sq, 8), k, ones(65_536, 8), {
        scale: 1,
        weights: 'scores',
      });
      const want = Float64Array.from(weights.data, (_, n) => fromHalf(n % 65_536));
      expectClose(weights, { data: want, shape: [1, 1, Sq, 65_536] }, 0);
    });
    test('every int8 is read as it is, times its factor', () => {
      const every: Plain = { data: Int8Array.from({ length: 256 }, (_, n) => n), shape: [32, 1, 1, 8] };
      const scales: Floats = { data: Float32Array.from({ length: 32 }, (_, n) => 0.75 * n), shape: [32, 1, 1] };
      const byOne = { data: new Float32Array(32).fill(1), shape: [32, 1, 1] };
      for (const keyScales of [scales, byOne]) {
        const q = ones(32, 1, Sq, 8);
        const { output, weights } = engine().scaledDotProductAttention(q, every, every, {
          scale: 1,
          keyScales,
          valueScales: scales,
          weights: 'scores',
        });
        const factor = (tensor: Floats, entry: number) => tensor.data[entry] as number;
        const value = (n: number) => (n > 127 ? n - 256 : n);
        const at = (n: number) => [Math.floor(n / (8 * Sq)), n % 8] as const;
        const want = Float64Array.from(
          output.data,
          (_, n) => value(at(n)[0] * 8 + at(n)[1]) * factor(scales, at(n)[0]),
        );
        expectClose(output, { data: want, shape: [32, 1, Sq, 8] }, 0);
        const sums = Float64Array.from(weights.data, (_, n) => {
          const entry = Math.floor(n / Sq);
          return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, d) => sum + value(entry * 8 + d), 0) * factor(keyScales, entry);
        });
        expectClose(weights, { data: sums, shape: [32, 1, Sq, 1] }, 0);
      }
    });

    /** Of two key heads with two query heads each, and 37 keys. */
    const inputsOf = (): [Floats, Floats, Floats] => [
      random.tensor([2, 4, Sq, 16]),
      random.tensor([2, 2, 37, 16]),
      random.tensor([2, 2, 37, 8]),
    ];
    const more: Options[] = [{}, { causal: true, queryOffset: 20, softcap: 5 }, { kvLengths: [30, 37], alibi: true }];

    test('float16 gives the bits that the same floats give', () => {
      const [q, k, v] = inputsOf();
      const [key, value] = [inType('float16', k), inType('float16', v)];
      const wide = [key, value].map(({ data, shape }) => ({
        data: Float32Array.from(data as Uint16Array, fromHalf),
        shape,
      }));
      for (const options of more) {
        const beside = { ...options, logSumExp: true, weights: true } as const;
        const want = engine().scaledDotProductAttention(q, wide[0] as Plain, wide[1] as Plain, beside);
        expect(engine().scaledDotProductAttention(q, key, value, beside)).toEqual(want);
      }
    });
    test('int8 gives the bits that the same floats give, where the factors are powers of two', () => {
      const [q, ...floats] = inputsOf();
      const [key, value] = floats.map(({ data, shape }) => ({ data: Int8Array.from(data, (x) => 40 * x), shape }));
      const powers = () => ({
        data: Float32Array.from({ length: 148 }, () => 2 ** -random.integer(4, 9)),
        shape: [2, 2, 37],
      });
      const [keyScales, valueScales] = [powers(), powers()];
      const wide = ([tensor, scales]: [Plain, Plain]): Plain => ({
        data: Float32Array.from(
          tensor.data as Int8Array,
          (x, n) => x * Number(scales.data[Math.floor((n * 148) / tensor.data.length)]),
        ),
        shape: tensor.shape,
      });
      const [k, v] = [wide([key as Plain, keyScales]), wide([value as Plain, valueScales])];
      for (const options of more) {
        const beside = { ...options, logSumExp: true, weights: true } as const;
        const got = engine().scaledDotProductAttention(q, key as Plain, value as Plain, {
          ...beside,
          keyScales,
          valueScales,
        });
        expect(got).toEqual(engine().scaledDotProductAttention(q, k, v, beside));
      }
    });

    test('so do a map, and sequences packed end to end', () => {
      const wide = (x: Plain) => ({ data: Float32Array.from(x.data as Uint16Array, fromHalf), shape: x.shape });
      const [q, k] = [random.tensor([2, Sq, 16]), inType('float16', random.tensor([1, 37, 16]))];
      expect(engine().attentionMap(q, k, { causal: true })).toEqual(
        engine().attentionMap(q, wide(k), { causal: true }),
      );
      const bytes: Plain = { data: Int8Array.from(wide(k).data, (x) => 40 * x), shape: k.shape };
      const keyScales = { data: new Float32Array(37).fill(2 ** -5), shape: [1, 1, 37] };
      const floats = { data: Float32Array.from(bytes.data as Int8Array, (x) => x / 32), shape: k.shape };
      expect(engine().attentionMap(q, bytes, { keyScales })).toEqual(engine().attentionMap(q, floats));

      const options = { cuSeqlensQ: [0, 1, Sq], cuSeqlensKv: [0, 14, 37], logSumExp: true } as const;
      const queries = random.tensor([Sq, 4, 16]);
      const [key, value] = [2, 1].map(() => inType('float16', random.tensor([37, 2, 16]))) as [Plain, Plain];
      const want = engine().variableLengthAttention(queries, wide(key), wide(value), options);
      expect(engine().variableLengthAttention(queries, key, value, options)).toEqual(want);
    });

    describe.each([NaN, Infinity, -Infinity])('%s at a key', (poison) => {
      const seen: Options[] = [{}, { causal: true, queryOffset: 5 }];
      const unseen: Options[] = [
        { mask: { data: Uint8Array.from({ length: 37 }, (_, j) => Number(j !== 5)), shape: [37], dtype: 'bool' } },
        { window: [-1, -1], causal: true, queryOffset: 4 - Sq + 1 },
      ];
      const expectSpoilt = (inputs: Inputs, spoils: boolean, scales: Options = {}) => {
        for (const options of spoils ? seen : unseen) {
          const { output } = expectEverything(engine(), inputs, { ...options, ...scales });
          expect(output.data.every(Number.isFinite)).toBe(!spoils);
        }
      };
      const factor = (x: Floats) => quantised(x, [2, 2, 37], {});

      test.each([true, false])('in halves, seen: %s', (isSeen) => {
        for (const which of [1, 2] as const) {
          const floats = inputsOf();
          const width = floats[which].shape[3] as number;
          floats[which].data.fill(poison, 5 * width, 5 * width + 3); // of the first head
          if (which === 1) floats[0].data.fill(1); // a score of +infinity spoils the row
          const inputs: Inputs = [floats[0], inType('float16', floats[1]), inType('float16', floats[2])];
          if (which === 2 || poison !== -Infinity) expectSpoilt(inputs, isSeen);
        }
      });
      test.each([true, false])('in factors of int8, seen: %s', (isSeen) => {
        for (const which of ['keyScales', 'valueScales'] as const) {
          const [q, ...floats] = inputsOf();
          const [key, value] = floats.map(factor) as [ReturnType<typeof factor>, ReturnType<typeof factor>];
          const scales = { keyScales: key.scales, valueScales: value.scales };
          scales[which].data[5] = poison;
          q.data.fill(1);
          (key.values.data as Int8Array).fill(poison < 0 ? -1 : 1, 5 * 16, 6 * 16);
          expectSpoilt([q, key.values, value.values], isSeen, scales);
        }
      });
    });
  });
});
