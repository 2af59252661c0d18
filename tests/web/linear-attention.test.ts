import { describe, expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import { type LinearOptions, linearAttention } from './oracle/linear-attention.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
type Inputs = [q: Floats, k: Floats, v: Floats];

/**
 * The error grows with the length. Numerator and denominator are sums over Skv keys (running sums when causal) of sums over D
 * features, none negative but for the values: each errs by about (√Skv + √D)·u of its own size (Higham & Mary 2019), twice that as
 * the worst of many elements, and exponentials, products and the division add a few roundings: together
 *
 *   (4·(√Skv + √D) + 16)·u · Σ_j w_j·|v_j| / Σ_j w_j
 */
const tolerance = (Skv: number, D: number, size: Float64Array) => (n: number) =>
  (4 * (Math.sqrt(Skv) + Math.sqrt(D)) + 16) * U * (size[n] as number) + 1e-37;

forEachVariant(`linearAttention, seed ${seed}`, (engine) => {
  const check = (inputs: Inputs, options: LinearOptions = {}, [Skv, D] = [0, 0]): void => {
    const exact = linearAttention(...inputs, options);
    expectClose(engine().linearAttention(...inputs, options).output, exact, tolerance(Skv, D, exact.size));
  };
  const heads = (H: number, Hkv: number, Sq: number, Skv: number, D: number, Dv = D): Inputs => [
    random.tensor([2, H, Sq, D]),
    random.tensor([2, Hkv, Skv, D]),
    random.tensor([2, Hkv, Skv, Dv]),
  ];
  const kinds = ([undefined, 'elu+1', 'relu'] as const).flatMap((featureMap) =>
    [false, true].map((causal) => ({ causal, ...(featureMap && { featureMap }) })),
  );

  describe.each(kinds)('%o', (kind) => {
    test.each([1, 2, 3, 7, 8, 9, 23, 24, 25, 31, 32, 33, 48, 64, 65, 95, 96, 97, 127, 128, 129, 200])(
      'length %i',
      (S) => {
        check(heads(2, 2, S, S, 8), kind, [S, 8]);
        check(heads(1, 1, S, S, 33, 17), kind, [S, 33]);
      },
    );
    test.each([
      [5, 12],
      [12, 5],
      [1, 100],
      [100, 1],
      [65, 130],
    ])('%i queries, %i keys', (Sq, Skv) => check(heads(2, 2, Sq, Skv, 16, 5), kind, [Skv, 16]));
    test.each([
      [4, 2],
      [6, 1],
      [6, 3],
    ])('%i heads over %i', (H, Hkv) => check(heads(H, Hkv, 20, 20, 8, 12), kind, [20, 8]));
    test.each([64, 100, 128, 256])('head size %i', (D) => check(heads(2, 1, 40, 70, D, D), kind, [70, D]));
    test('every rank and layout', () => {
      const all = (...shape: number[]): Inputs => [random.tensor(shape), random.tensor(shape), random.tensor(shape)];
      check(all(30, 8), kind, [30, 8]);
      check(all(3, 30, 8), kind, [30, 8]);
      check(all(30, 24), { ...kind, numHeads: 3 }, [30, 8]);
      check(all(2, 30, 24), { ...kind, numHeads: 3 }, [30, 8]);
      check(all(2, 30, 3, 8), { ...kind, layout: 'BSHD' }, [30, 8]);
      const grouped: Inputs = [random.tensor([2, 9, 32]), random.tensor([2, 9, 16]), random.tensor([2, 9, 10])];
      check(grouped, { ...kind, numHeads: 4, numKvHeads: 2 }, [9, 8]);
    });
    test('at random', () => {
      for (let n = 0; n < 15; n++) {
        const Hkv = random.integer(1, 2);
        const [Sq, Skv, D, Dv] = [
          random.integer(1, 140),
          random.integer(1, 140),
          random.integer(1, 40),
          random.integer(1, 40),
        ];
        check(heads(Hkv * random.integer(1, 3), Hkv, Sq, Skv, D, Dv), kind, [Skv, D]);
      }
    });
  });

  test('a long sequence, causal', () => {
    const S = 2000;
    const inputs: Inputs = [random.tensor([S, 4]), random.tensor([S, 4]), random.tensor([S, 4])];
    check(inputs, { causal: true }, [S, 4]);
  });
  test('a denominator of 0 gives zeros', () => {
    const [q, k, v] = heads(1, 1, 6, 6, 4);
    q.data.fill(-1, 0, 4); // relu: no feature at all
    k.data.fill(-1, 0, 8); // nor of the first two keys
    const plain = engine().linearAttention(q, k, v, { featureMap: 'relu' }).output.data;
    expect(Array.from(plain.subarray(0, 4))).toEqual([0, 0, 0, 0]);
    check([q, k, v], { featureMap: 'relu' }, [6, 4]);
    const causal = engine().linearAttention(q, k, v, { featureMap: 'relu', causal: true }).output.data;
    expect(Array.from(causal.subarray(0, 8))).toEqual(Array(8).fill(0));
    check([q, k, v], { featureMap: 'relu', causal: true }, [6, 4]);
  });
  test('no keys give zeros, no queries nothing', () => {
    expect(Array.from(engine().linearAttention(...heads(1, 1, 2, 0, 4)).output.data)).toEqual(Array(16).fill(0));
    expect(engine().linearAttention(...heads(1, 1, 0, 3, 4)).output.shape).toEqual([2, 1, 0, 4]);
  });
  test('causal: later keys and values never reach earlier rows, NaN or not', () => {
    const [q, k, v] = heads(2, 2, 130, 130, 8);
    const want = linearAttention(q, k, v, { causal: true });
    for (const from of [64, 100, 129]) {
      const [bad, worse] = [
        { ...k, data: k.data.slice() },
        { ...v, data: v.data.slice() },
      ];
      for (let line = 0; line < 4; line++) {
        bad.data.fill(NaN, (line * 130 + from) * 8, (line + 1) * 130 * 8);
        worse.data.fill(Infinity, (line * 130 + from) * 8, (line + 1) * 130 * 8);
      }
      const { data } = engine().linearAttention(q, bad, worse, { causal: true }).output;
      for (let line = 0; line < 4; line++) {
        const rows = { data: data.subarray(line * 130 * 8, (line * 130 + from) * 8), shape: [from, 8] };
        const same = { data: want.data.subarray(line * 130 * 8, (line * 130 + from) * 8), shape: [from, 8] };
        const size = want.size.subarray(line * 130 * 8);
        expectClose(rows, same, tolerance(130, 8, size));
      }
    }
  });
  test('values of very different size keep their place', () => {
    const [q, k, v] = heads(1, 1, 40, 40, 8);
    v.data.set(v.data.map((value, n) => value * 10 ** (n % 7)));
    check([q, k, v], {}, [40, 8]);
    check([q, k, v], { causal: true }, [40, 8]);
  });
});
