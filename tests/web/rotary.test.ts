import type { RopeScaling } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import { attentionFactor, frequencies, type RotaryOptions, rotaryEmbedding } from './oracle/rotary.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/**
 * A result is the sum of two products. Each product and the sum round once: 2 of U·Σ|product|. Angles are exact to double, so a
 * cosine or sine made here is off by its own rounding, 1 of U·|x| (its size is at most the gain), and half as much for slack.
 */
const given = (exact: { size: Float64Array }) => (n: number) => 2.01 * U * (exact.size[n] as number) + 1e-44;
function made(x: Floats, exact: { size: Float64Array }, gain = 1) {
  const loudest = x.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (n: number) => 3 * U * (exact.size[n] as number) + U * gain * loudest;
}

type Options = RotaryOptions & { cos?: Plain; sin?: Plain };
const B = 2;
const S = 7;
const H = 3;
const forms: [string, (D: number) => number[], Options][] = [
  ['[S,D]', (D) => [S, D], {}],
  ['[H,S,D]', (D) => [H, S, D], {}],
  ['[S,H·D]', (D) => [S, H * D], { numHeads: H }],
  ['[B,S,H·D]', (D) => [B, S, H * D], { numHeads: H }],
  ['BHSD', (D) => [B, H, S, D], {}],
  ['BHSD by name', (D) => [B, H, S, D], { layout: 'BHSD', numHeads: H }],
  ['BSHD', (D) => [B, S, H, D], { layout: 'BSHD' }],
];
const scalings: RopeScaling[] = [
  { type: 'linear', factor: 4 },
  { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 },
  { type: 'llama3', factor: 32, lowFreqFactor: 2, highFreqFactor: 3, originalContext: 100 },
  { type: 'yarn', factor: 10, originalContext: 2048 },
  { type: 'yarn', factor: 4, originalContext: 4096, betaFast: 16, betaSlow: 2 },
  { type: 'yarn', factor: 40, originalContext: 512, attentionFactor: 0.5 },
  { type: 'yarn', factor: 2, originalContext: 4, betaFast: 32, betaSlow: 31 }, // both corrections below 0
];

forEachVariant(`rotaryEmbedding, seed ${seed}`, (engine) => {
  const check = (x: Floats, options: Options = {}): void => {
    const exact = rotaryEmbedding(x, options);
    const tolerance = options.cos ? given(exact) : made(x, exact, attentionFactor(options.scaling));
    expectClose(engine().rotaryEmbedding(x, options), exact, tolerance);
  };
  /** Cosines and sines of rows that no base makes. */
  const tables = (...shape: number[]) => {
    const angles = random.tensor(shape, 3).data;
    return { cos: { data: angles.map(Math.cos), shape }, sin: { data: angles.map(Math.sin), shape } };
  };

  describe.each(forms)('%s', (_, shapeOf, form) => {
    test.each([2, 4, 6, 8, 10, 16, 30, 64, 128])('head size %i, halves and neighbours', (D) => {
      check(random.tensor(shapeOf(D)), form);
      check(random.tensor(shapeOf(D)), { ...form, interleaved: true });
    });
    test.each([
      [8, 2],
      [8, 6],
      [9, 4],
      [13, 10],
      [64, 16],
      [80, 32],
    ])('of %i values the first %i', (D, dims) => {
      for (const interleaved of [false, true]) {
        const x = random.tensor(shapeOf(D));
        check(x, { ...form, dims, interleaved });
        const got = engine().rotaryEmbedding(x, { ...form, dims, interleaved }).data;
        for (let n = 0; n < got.length; n++) if (n % D >= dims) expect(got[n]).toBe(x.data[n]);
      }
    });
    test('positions [S], the same for every batch', () => {
      for (const positions of [[3, 0, 1, 1, 100, 7, 131071], Int32Array.of(9, 8, 7, 6, 5, 4, 3)])
        check(random.tensor(shapeOf(12)), { ...form, positions });
    });
    test('positions [B·S]', () => {
      const batch = _.includes('B') ? B : 1;
      const positions = Array.from({ length: batch * S }, () => random.integer(0, 5000));
      check(random.tensor(shapeOf(12)), { ...form, positions });
      check(random.tensor(shapeOf(12)), { ...form, positions: BigInt64Array.from(positions.map(BigInt)) });
    });
    test('given cos and sin: [S,dims/2], [B,S,dims/2], caches with positions', () => {
      const batch = _.includes('B') ? B : 1;
      for (const more of [{}, { interleaved: true }, { dims: 4 }]) {
        const half = (more.dims ?? 12) / 2;
        check(random.tensor(shapeOf(12)), { ...form, ...more, ...tables(S, half) });
        if (batch > 1) check(random.tensor(shapeOf(12)), { ...form, ...more, ...tables(batch, S, half) });
        const positions = Array.from({ length: S }, () => random.integer(0, 19));
        check(random.tensor(shapeOf(12)), { ...form, ...more, ...tables(20, half), positions });
        const each = Array.from({ length: batch * S }, () => random.integer(0, 19));
        check(random.tensor(shapeOf(12)), { ...form, ...more, ...tables(20, half), positions: each });
      }
    });
    test.each(scalings)('scaling %o', (scaling) => {
      const positions = Array.from({ length: S }, () => random.integer(0, 100_000));
      check(random.tensor(shapeOf(64)), { ...form, scaling, positions });
      check(random.tensor(shapeOf(24)), { ...form, scaling, base: 500_000, dims: 16, interleaved: true, positions });
    });
  });

  test.each(forms.filter(([name]) => name.includes('B')))('%s: each entry as if it were alone', (_, shapeOf, form) => {
    const D = 12;
    const one = [1, ...shapeOf(D).slice(1)];
    const size = one.reduce((a, b) => a * b, 1);
    const entries = Array.from({ length: 5 }, () => random.tensor(one));
    const x = { data: Float32Array.from(entries.flatMap(({ data }) => Array.from(data))), shape: [5, ...one.slice(1)] };
    const positions = Array.from({ length: S }, () => random.integer(-50, 5000));
    const caches = { ...tables(20, 3), positions: positions.map((p) => Math.abs(p) % 20) };
    const yarn = { scaling: scalings[3] as RopeScaling, positions };
    for (const more of [
      {},
      { positions },
      { interleaved: true, positions },
      yarn,
      { dims: 6, ...tables(S, 3) },
      { dims: 6, ...caches },
    ]) {
      const options = { ...form, ...more };
      const { data } = engine().rotaryEmbedding(x, options);
      entries.forEach((entry, b) => {
        const alone = engine().rotaryEmbedding(entry, options);
        expectClose({ data: data.subarray(b * size, (b + 1) * size), shape: one }, alone, 0);
      });
    }
  });
  test('positions per entry are told from shared ones where there is one row', () => {
    const x = random.tensor([4, 2, 1, 8]);
    check(x, { positions: [3] });
    check(x, { positions: [3, 1, 4, 1] });
  });
  test('tiny factors and bases that leave the frequencies finite give numbers', () => {
    const x = random.tensor([5, 64]);
    const scaling = { type: 'linear', factor: 1e-200 } as const;
    for (const options of [{ scaling }, { base: 1e-200 }, { base: 1e-100, scaling: { ...scaling, factor: 1e-100 } }])
      expect(
        engine()
          .rotaryEmbedding(x, { ...options, positions: [0, 1, -2, 2 ** 31 - 1, -(2 ** 31)] })
          .data.every(Number.isFinite),
      ).toBe(true);
  });

  test.each([100, 10_000, 500_000, 1e6, 2.5])('base %d', (base) => check(random.tensor([50, 32]), { base }));
  test('position 0 turns nothing', () => {
    const x = random.tensor([1, 16]);
    expect(engine().rotaryEmbedding(x).data).toEqual(x.data);
  });
  test('negative positions turn backwards', () => {
    const x = random.tensor([3, 8]);
    const there = engine().rotaryEmbedding(x, { positions: [5, 9, 700] });
    expectClose(engine().rotaryEmbedding(there, { positions: [-5, -9, -700] }), x, 2e-6);
  });
  test('scores depend on the distance alone', () => {
    const [q, k] = [random.tensor([1, 64]), random.tensor([1, 64])];
    const score = (p: number, j: number) => {
      const [a, b] = [
        engine().rotaryEmbedding(q, { positions: [p] }).data,
        engine().rotaryEmbedding(k, { positions: [j] }).data,
      ];
      return a.reduce((sum, value, d) => sum + value * (b[d] as number), 0);
    };
    expect(Math.abs(score(40, 17) - score(4023, 4000))).toBeLessThan(1e-4);
  });
  test('everything at random', () => {
    for (let n = 0; n < 60; n++) {
      const [batch, heads, length, D] = [
        random.integer(1, 3),
        random.integer(1, 4),
        random.integer(1, 140),
        random.integer(1, 50) * 2,
      ];
      const [shape, form] = random.pick<[number[], Options]>([
        [[length, D], {}],
        [[heads, length, D], {}],
        [[batch, length, heads * D], { numHeads: heads }],
        [[batch, heads, length, D], {}],
        [[batch, length, heads, D], { layout: 'BSHD' }],
      ]);
      const entries = shape.length === 4 || form.numHeads ? batch : 1;
      const count = random.pick([length, entries * length]);
      const dims = random.chance(0.5) ? D : random.integer(1, D / 2) * 2;
      check(random.tensor(shape, random.pick([1e-3, 1, 1000])), {
        ...form,
        dims,
        interleaved: random.chance(0.5),
        base: random.pick([10000, 1000]),
        ...(random.chance(0.5) && { positions: Array.from({ length: count }, () => random.integer(-10, 4000)) }),
        ...(random.chance(0.4) && { scaling: random.pick(scalings) }),
      });
    }
  });

  test('out, onto x in place, and resident tensors', () => {
    for (const [, shapeOf, form] of forms)
      for (const more of [{}, { interleaved: true }, { dims: 4 }]) {
        const x = random.tensor(shapeOf(12));
        const options = { ...form, ...more };
        const want = engine().rotaryEmbedding(x, options);
        const out = new Float32Array(x.data.length).fill(NaN);
        expect(engine().rotaryEmbedding(x, { ...options, out }).data).toBe(out);
        expectClose({ data: out, shape: x.shape }, want, 0);
        using tensor = engine().tensor(x);
        expect(engine().rotaryEmbedding(tensor, { ...options, out: tensor })).toBe(tensor);
        expectClose(tensor, want, 0);
        const array = { ...x, data: x.data.slice() };
        engine().rotaryEmbedding(array, { ...options, out: array.data });
        expectClose(array, want, 0);
      }
  });
  test('no positions', () => expect(engine().rotaryEmbedding(random.tensor([2, 0, 8])).shape).toEqual([2, 0, 8]));

  // Pairs of LlamaConfig() (head size 128, base 10000, context 2048) with factor 10, as Hugging Face's own tests have them.
  test.each([
    ['yarn', { type: 'yarn', factor: 10, originalContext: 2048 }, { 17: 8.3479e-2, 40: 4.3007e-4, 63: 1.1548e-5 }],
    [
      'llama3',
      { type: 'llama3', factor: 10, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 2048 },
      { 17: 8.6596e-2, 31: 1.073e-2, 40: 3.4539e-4, 63: 1.1548e-5 },
    ],
  ] as [string, RopeScaling, Record<number, number>][])('%s frequencies as published', (_, scaling, published) => {
    const x = { data: new Float32Array(128).fill(1, 0, 64), shape: [1, 128] };
    const got = engine().rotaryEmbedding(x, { scaling, positions: [1] }).data;
    for (const [pair, frequency] of Object.entries(published)) {
      const angle = Math.atan2(got[64 + Number(pair)] as number, got[Number(pair)] as number);
      for (const f of [angle, frequencies(128, 10000, scaling)[Number(pair)] as number])
        expect(Math.abs(f - frequency), `pair ${pair}: ${f}`).toBeLessThan(1e-4 * frequency);
    }
  });
});
