import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest, logSumExpTolerance, outputTolerance } from './compare.ts';
import type { OracleResult } from './oracle/attention.ts';
import * as rules from './oracle/masks.ts';
import { valuesOf } from './oracle/values.ts';
import { type OptionsOf, partOf, tokens, variableLengthAttention } from './oracle/variable-length.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { offsetOf, type Rules, randomRules, telling } from './random-rules.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
type Inputs = [q: Floats, k: Floats, v: Floats];
interface Lengths {
  q: number[];
  kv: number[];
}

const total = (lengths: readonly number[]) => lengths.reduce((a, b) => a + b, 0);
const sums = (lengths: readonly number[]) => [0, ...lengths.map((_, b) => total(lengths.slice(0, b + 1)))];
const longest = (lengths: readonly number[]) => Math.max(0, ...lengths);
function inputsOf({ q, kv }: Lengths, H: number, Hkv = H, D = 8, Dv = D): Inputs {
  return [random.tensor([total(q), H, D]), random.tensor([total(kv), Hkv, D]), random.tensor([total(kv), Hkv, Dv])];
}

/** Entry b of [B,longest Skv] as [1,Skv]. */
const keysOf = ({ shape: [B = 0, longest = 0], ...mask }: Plain, b: number, Skv: number) => ({
  ...partOf({ ...mask, shape: [B, 1, 1, longest] }, b, 1, 1, Skv),
  shape: [1, Skv],
});

/** What each sequence sees of the options: masks and lengths of its own, everything counted within it. */
const optionsOf =
  ({ options, told }: Rules, H: number): OptionsOf =>
  (b, Sq, Skv) => {
    const offset = offsetOf(options, b, Sq, Skv);
    const { attentionMask, mask, kvLengths, queryOffset: _, causal, ...same } = options;
    const shape = { heads: H, queries: Sq, keys: Skv, queryOffset: offset };
    return {
      ...(same as object),
      causal: !!causal,
      queryOffset: offset,
      ...(kvLengths && { kvLengths: [kvLengths[b] as number] }),
      ...(attentionMask && { attentionMask: keysOf(attentionMask, b, Skv) }),
      ...(mask && 'data' in mask && { mask: partOf(mask, b, H, Sq, Skv) }),
      ...(told && { mask: rules.toDense((pair) => told.rule({ ...pair, b }), shape) }),
    };
  };

/** Keys and values with NaN or infinities wherever no query of a sequence sees them. */
function poisoned([, k, v]: Inputs, starts: number[], sequences: OracleResult[]): [Floats, Floats] {
  const copies: [Floats, Floats] = [
    { ...k, data: k.data.slice() },
    { ...v, data: v.data.slice() },
  ];
  const Hkv = k.shape[1] as number;
  sequences.forEach(({ biased: { data, shape } }, b) => {
    const [, H = 0, Sq = 0, Skv = 0] = shape;
    for (let shared = 0; shared < Hkv; shared++)
      for (let j = 0; j < Skv; j++) {
        const first = (shared * H * Sq) / Hkv;
        const rows = Array.from({ length: (H * Sq) / Hkv }, (_, row) => data[(first + row) * Skv + j]);
        if (rows.some((value) => value !== -Infinity)) continue;
        for (const { data: values, shape: axes } of copies) {
          const [width, token] = [axes[2] as number, ((starts[b] as number) + j) * Hkv + shared];
          values.fill(random.pick([NaN, Infinity, -Infinity]), token * width, (token + 1) * width);
        }
      }
  });
  return copies;
}

forEachVariant(`variableLengthAttention, seed ${seed}`, (engine) => {
  function check(inputs: Inputs, lengths: Lengths, given: Rules = { options: {} }): void {
    const [q] = inputs;
    const [, H, D] = q.shape as [number, number, number];
    const [cuSeqlensQ, cuSeqlensKv] = [sums(lengths.q), sums(lengths.kv)];
    const exact = variableLengthAttention(inputs, cuSeqlensQ, cuSeqlensKv, optionsOf(given, H));
    const [k, v] = poisoned(inputs, cuSeqlensKv, exact.sequences);
    telling(given, { lengths, H }, () => {
      const options = { ...given.options, cuSeqlensQ, cuSeqlensKv };
      const got = engine().variableLengthAttention(q, k, v, { ...options, logSumExp: true });
      const values = valuesOf(inputs[2]);
      const tolerances = exact.sequences.map((one) => {
        const of = outputTolerance(values, one);
        return largest(one.output.data.map((_, index) => of(index)));
      });
      const tolerance = Math.max(0, ...tolerances);
      expectClose(got.output, exact.output, tolerance);
      expectClose(engine().variableLengthAttention(q, k, v, options).output, exact.output, tolerance);
      const lse = exact.sequences.flatMap((one, b) => {
        const of = logSumExpTolerance(D, lengths.kv[b] as number, one.magnitude, one.logSumExp);
        return Array.from(one.logSumExp.data, (_, line) => of(line));
      });
      expectClose(got.logSumExp, exact.logSumExp, Math.max(0, ...lse));
      expect(got.weights).toBeUndefined();
    });
  }
  const random2 = (most: number): Lengths => {
    const length = () => (random.chance(0.15) ? 0 : random.integer(1, most));
    const B = random.integer(1, 5);
    return { q: Array.from({ length: B }, length), kv: Array.from({ length: B }, length) };
  };

  test.each([
    [[5], [5]],
    [
      [3, 7, 1],
      [4, 2, 9],
    ],
    [
      [1, 1, 1, 1],
      [64, 65, 1, 130],
    ],
    [
      [64, 64],
      [64, 64],
    ],
    [
      [63, 65, 130],
      [130, 65, 63],
    ],
    [
      [1, 200],
      [200, 1],
    ],
  ])('queries %o, keys %o', (q, kv) => {
    check(inputsOf({ q, kv }, 2), { q, kv });
    check(inputsOf({ q, kv }, 4, 2, 16, 5), { q, kv });
    check(inputsOf({ q, kv }, 1, 1, 3, 33), { q, kv }, { options: { causal: true } });
  });
  test.each([
    [
      [0, 4, 0, 0, 3, 0],
      [2, 4, 0, 5, 3, 0],
    ],
    [
      [3, 0],
      [0, 3],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    [[4], [0]],
    [[], []],
  ] as [number[], number[]][])('empty sequences: queries %o, keys %o', (q, kv) => {
    check(inputsOf({ q, kv }, 2), { q, kv });
    const sinks = random.tensor([2]);
    check(inputsOf({ q, kv }, 2), { q, kv }, { options: { causal: true, sinks } });
  });

  test('hundreds of short sequences', () => {
    const lengths = {
      q: Array.from({ length: 300 }, (_, b) => b % 4),
      kv: Array.from({ length: 300 }, (_, b) => b % 3),
    };
    check(inputsOf(lengths, 2, 1, 4), lengths, { options: { causal: 'lower-right' } });
  });
  test('is one scaledDotProductAttention per sequence', () => {
    const lengths = { q: [5, 66, 1], kv: [9, 66, 70] };
    const [cuSeqlensQ, cuSeqlensKv] = [sums(lengths.q), sums(lengths.kv)];
    for (const options of [
      {},
      { causal: true },
      { causal: 'lower-right' },
      { window: [3, 2] },
      { softcap: 2 },
    ] as const) {
      const [q, k, v] = inputsOf(lengths, 4, 2);
      const packed = engine().variableLengthAttention(q, k, v, {
        ...options,
        cuSeqlensQ,
        cuSeqlensKv,
        logSumExp: true,
      });
      for (const b of [0, 1, 2]) {
        const [from, to, start, end] = [
          cuSeqlensQ[b],
          cuSeqlensQ[b + 1],
          cuSeqlensKv[b],
          cuSeqlensKv[b + 1],
        ] as number[];
        const part = [
          tokens(q, from as number, to as number),
          ...[k, v].map((x) => tokens(x, start as number, end as number)),
        ];
        const one = engine().scaledDotProductAttention(...(part as Inputs), {
          ...options,
          layout: 'BSHD',
          logSumExp: true,
        });
        const got = tokens(packed.output, from as number, to as number);
        expectClose(got, one.output, 4e-6 * (1 + Math.max(...v.data)));
        const T = total(lengths.q);
        const lse = [0, 1, 2, 3].flatMap((h) =>
          Array.from(packed.logSumExp.data.subarray(h * T + (from as number), h * T + (to as number))),
        );
        expectClose({ data: lse, shape: one.logSumExp.shape }, one.logSumExp, 1e-5);
      }
    }
  });

  test('every combination of rules, at random', () => {
    for (let n = 0; n < 70; n++) {
      const lengths = random2(random.pick([8, 40, 100]));
      const Hkv = random.integer(1, 2);
      const H = Hkv * random.integer(1, 3);
      const sizes = { B: lengths.q.length, H, Sq: longest(lengths.q), Skv: longest(lengths.kv) };
      const given = withinSequences(randomRules(random, sizes), lengths);
      const size = () => random.pick([1, 3, 8, 20, 33, 64, 100]);
      check(inputsOf(lengths, H, Hkv, size(), size()), lengths, given);
    }
  });
  /** Lengths within the sequences rather than within the longest. */
  function withinSequences({ options, told }: Rules, { kv }: Lengths): Rules {
    const { kvLengths, ...others } = options;
    const cut = kvLengths && { kvLengths: kvLengths.map((n, b) => Math.min(n, kv[b] as number)) };
    return { options: { ...others, ...cut }, ...(told && { told }) };
  }

  describe('rules count within the sequence', () => {
    const lengths = { q: [3, 4], kv: [3, 4] };
    const [cuSeqlensQ, cuSeqlensKv] = [sums(lengths.q), sums(lengths.kv)];
    /** Which keys each query saw: values are unit vectors, so the output is the probabilities. */
    const seen = (options: object) => {
      const v = {
        data: Float32Array.from({ length: 28 }, (_, n) => ([0, 1, 2, 0, 1, 2, 3][n >> 2] === n % 4 ? 1 : 0)),
        shape: [7, 1, 4],
      };
      const [q, k] = inputsOf(lengths, 1, 1, 4);
      const { output } = engine().variableLengthAttention(q, k, v, { ...options, cuSeqlensQ, cuSeqlensKv });
      return Array.from({ length: 7 }, (_, t) =>
        Array.from(output.data.subarray(t * 4, t * 4 + 4), (p) => (p > 0 ? 1 : 0)).join(''),
      );
    };
    test.each([
      ['causal()', masks.causal(), ['1000', '1100', '1110', '1000', '1100', '1110', '1111']],
      ['slidingWindow', masks.slidingWindow(1, 0), ['1000', '1100', '0110', '1000', '1100', '0110', '0011']],
      ['keyPadding', masks.keyPadding([1, 2]), ['1000', '1000', '1000', '1100', '1100', '1100', '1100']],
      ['prefixLM', masks.prefixLM([0, 2]), ['1000', '1100', '1110', '1100', '1100', '1110', '1111']],
      ['globalTokens', masks.globalTokens([1]), ['0100', '1110', '0100', '0100', '1111', '0100', '0100']],
      [
        'fromFunction by batch',
        masks.fromFunction((b, _, p, j) => (b === 0 ? j === 0 : j === p)),
        ['1000', '1000', '1000', '1000', '0100', '0010', '0001'],
      ],
    ])('%s', (_, mask, want) => expect(seen({ mask })).toEqual(want));
    test('fromFunction is asked only within the sequences', () => {
      const asked = new Set<string>();
      seen({ mask: masks.fromFunction((...pair) => !!asked.add(String(pair))) });
      const far = [...asked].filter((pair) => pair.startsWith('0') && /(,3)/.test(pair.slice(3)));
      expect([asked.size, far]).toEqual([9 + 16, []]);
    });
  });

  test('int64 prefix sums, out as array and tensor, resident inputs', () => {
    const lengths = { q: [3, 5], kv: [4, 6] };
    const x = inputsOf(lengths, 2);
    const options = { causal: true, cuSeqlensQ: sums(lengths.q), cuSeqlensKv: sums(lengths.kv) };
    const want = engine().variableLengthAttention(...x, options).output;
    const int64 = { cuSeqlensQ: BigInt64Array.of(0n, 3n, 8n), cuSeqlensKv: BigInt64Array.of(0n, 4n, 10n) };
    expectClose(engine().variableLengthAttention(...x, { ...options, ...int64 }).output, want, 0);
    const array = new Float32Array(8 * 2 * 8).fill(NaN);
    expect(engine().variableLengthAttention(...x, { ...options, out: array }).output.data).toBe(array);
    expectClose({ data: array, shape: [8, 2, 8] }, want, 0);
    using tensor = engine().zeros([8, 2, 8]);
    const resident = x.map((input) => engine().tensor(input));
    const got = engine().variableLengthAttention(...(resident as unknown as Inputs), { ...options, out: tensor });
    expect(got.output).toBe(tensor);
    expectClose(tensor, want, 0);
    for (const input of resident) input.dispose();
  });
  test('NaN in one sequence stays there', () => {
    const lengths = { q: [5, 66, 7], kv: [5, 66, 7] };
    const [q, k, v] = inputsOf(lengths, 2);
    const options = { cuSeqlensQ: sums(lengths.q), cuSeqlensKv: sums(lengths.kv) };
    const want = engine().variableLengthAttention(q, k, v, options).output.data;
    for (const x of [q, k, v]) x.data.fill(NaN, 5 * 16, 71 * 16);
    const got = engine().variableLengthAttention(q, k, v, options).output.data;
    const parts = (data: Float32Array) => [...data.subarray(0, 5 * 16), ...data.subarray(71 * 16)];
    expect(parts(got)).toEqual(parts(want));
    expect(got.subarray(5 * 16, 71 * 16).every(Number.isNaN)).toBe(true);
  });
});
