import { createAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, logSumExpTolerance, outputTolerance, probabilityTolerance } from './compare.ts';
import { bits, builders, fitOf, type Told } from './mask-builders.ts';
import { randomShape, randomTree, type WholeShape } from './mask-trees.ts';
import { attention } from './oracle/attention.ts';
import * as oracle from './oracle/masks.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

forEachVariant(`mask rules in attention, seed ${seed}`, (engine, variant) => {
  const D = 4;
  type Inputs = [q: Floats, k: Floats, v: Floats];
  const inputsOf = ({ batch, heads, queries, keys }: WholeShape): Inputs => [
    random.tensor([batch, heads, queries, D]),
    random.tensor([batch, heads, keys, D]),
    random.tensor([batch, heads, keys, D]),
  ];
  /** Output, probabilities and logSumExp as of the same pairs given one by one to the oracle. */
  function expectRule({ mask, rule, text }: Told, shape: WholeShape, more: object = {}): void {
    const [q, k, v] = inputsOf(shape);
    const queryOffset = shape.queryOffset as number | number[];
    const pairs = oracle.toDense(rule, shape);
    poison(pairs.data, shape, [k, v]);
    const exact = attention(q, k, v, { ...more, queryOffset, mask: pairs });
    const got = engine().scaledDotProductAttention(q, k, v, {
      ...more,
      queryOffset,
      mask,
      weights: true,
      logSumExp: true,
    });
    const written = mask.toDense({ ...shape, queryOffset });
    const given = engine().scaledDotProductAttention(q, k, v, { ...more, queryOffset, mask: written, weights: true });
    const bare = engine().scaledDotProductAttention(q, k, v, { ...more, queryOffset, mask });
    try {
      expectClose(got.weights, exact.probabilities, probabilityTolerance(exact));
      expectClose(given.weights, exact.probabilities, probabilityTolerance(exact));
      expectClose(got.output, exact.output, outputTolerance(v.data, exact));
      expectClose(bare.output, exact.output, outputTolerance(v.data, exact));
      const lse = logSumExpTolerance(D, shape.keys, exact.magnitude, exact.logSumExp);
      expectClose(got.logSumExp, exact.logSumExp, lse);
    } catch (error) {
      throw new Error(`${text} over ${JSON.stringify({ ...shape, ...more })}: ${error}`, { cause: error });
    }
  }
  /** NaN and infinities over the keys and values that no query sees. */
  function poison(pairs: Uint8Array, { batch, heads, queries, keys }: WholeShape, tensors: Floats[]): void {
    for (let bh = 0; bh < batch * heads; bh++)
      for (let j = 0; j < keys; j++) {
        let seen = false;
        for (let i = 0; i < queries && !seen; i++) seen = pairs[(bh * queries + i) * keys + j] === 1;
        if (seen) continue;
        for (const { data } of tensors)
          data.fill(random.pick([NaN, Infinity, -Infinity]), (bh * keys + j) * D, (bh * keys + j + 1) * D);
      }
  }

  test('attn.masks are the module’s own', () => expect(engine().masks).toBe(masks));
  test.each(Object.keys(builders))('%s', (name) => {
    for (let n = 0; n < 4; n++) {
      const shape = randomShape(random);
      expectRule((builders[name] as (typeof builders)[string])(random, fitOf(shape)), shape);
    }
  });
  test('trees, beside the other rules', () => {
    for (let n = 0; n < 25; n++) {
      const shape = randomShape(random);
      const kvLengths = Array.from({ length: shape.batch }, () => random.integer(0, shape.keys));
      const others = [
        {},
        { causal: true },
        { kvLengths },
        { attentionMask: bits(random, [shape.batch, shape.keys], 0.8) },
        { window: [random.integer(-1, 70), random.integer(-1, 70)] },
        { softcap: 5 },
        { alibi: { data: random.floats(shape.heads).map(Math.abs), shape: [shape.heads] } },
        { sinks: random.tensor([shape.heads]) },
      ];
      expectRule(randomTree(random, fitOf(shape)), shape, Object.assign({}, random.pick(others), random.pick(others)));
    }
  });
  test("positions of a rule follow causal: 'lower-right' too", () => {
    const [q, k, v] = inputsOf({ batch: 2, heads: 1, queries: 3, keys: 8, queryOffset: 0 });
    const rule = masks.slidingWindow(1, 0);
    const of = (options: object) =>
      engine().scaledDotProductAttention(q, k, v, { ...options, weights: true }).weights.data;
    expect(of({ mask: rule, causal: 'lower-right', kvLengths: [8, 5] })).toEqual(
      of({ mask: rule, causal: true, queryOffset: [5, 2], kvLengths: [8, 5] }),
    );
  });
  test('a long structured mask needs no memory for its pairs', async () => {
    const own = await createAttention({ variant });
    const S = 8192; // as bits 8 MiB, as bytes 64 MiB
    const [q, k, v] = inputsOf({ batch: 1, heads: 1, queries: S, keys: S, queryOffset: 0 });
    const mask = masks.slidingWindow(100, 0).and(masks.documents(Array.from({ length: S }, (_, p) => p >> 9)));
    const { output } = own.scaledDotProductAttention(q, k, v, { mask });
    expect(own.info.highWaterBytes).toBeLessThan(4 * S * D * 4 + (1 << 20));
    // The documents are whole multiples of the rows: each is a call of its own.
    for (const from of [0, 512, 7680]) {
      const part = (x: Floats) => ({ data: x.data.slice(from * D, (from + 512) * D), shape: [1, 1, 512, D] });
      const alone = own.scaledDotProductAttention(part(q), part(k), part(v), { window: [100, 0] }).output;
      expectClose({ data: output.data.subarray(from * D, (from + 512) * D), shape: alone.shape }, alone, 1e-5);
    }
    own.dispose();
  });
  test('prefill rows equal decode rows', () => {
    const shape = { batch: 2, heads: 2, queries: 66, keys: 66, queryOffset: 0 };
    const [q, k, v] = inputsOf(shape);
    const ids = Array.from({ length: 66 }, (_, p) => Math.floor(p / 10));
    const mask = masks
      .documents(ids)
      .or(masks.globalTokens([0]))
      .and(masks.causal());
    const prefill = engine().scaledDotProductAttention(q, k, v, { mask }).output;
    for (const t of [0, 10, 63, 64, 65]) {
      const row = new Float32Array(4 * D);
      for (let bh = 0; bh < 4; bh++) row.set(q.data.subarray((bh * 66 + t) * D, (bh * 66 + t + 1) * D), bh * D);
      const one = { data: row, shape: [2, 2, 1, D] };
      const { output } = engine().scaledDotProductAttention(one, k, v, { mask, queryOffset: t });
      const want = Array.from(
        { length: 4 * D },
        (_, n) => prefill.data[(Math.floor(n / D) * 66 + t) * D + (n % D)] as number,
      );
      expectClose(output, { data: want, shape: [2, 2, 1, D] }, 4e-6);
    }
  });

  describe('fromFunction', () => {
    const shape: WholeShape = { batch: 2, heads: 3, queries: 65, keys: 70, queryOffset: 3 };
    const counted = (options?: { perBatch?: boolean; perHead?: boolean }) => {
      const asked = new Map<string, number>();
      const mask = masks.fromFunction((...pair) => {
        asked.set(String(pair), (asked.get(String(pair)) ?? 0) + 1);
        return (pair[2] + pair[3]) % 3 !== 0;
      }, options);
      return { mask, asked };
    };
    test('is asked once per pair and shape, in all calls of that shape together', () => {
      const { mask, asked } = counted();
      const [q, k, v] = inputsOf(shape);
      const queryOffset = 3;
      for (let n = 0; n < 3; n++) engine().scaledDotProductAttention(q, k, v, { mask, queryOffset });
      engine().attentionMap(q, k, { mask, queryOffset, size: [4, 4] });
      expect([Math.max(...asked.values()), asked.size]).toEqual([1, 2 * 3 * 65 * 70]);
      expect([...asked.keys()].every((key) => Number(key.split(',')[2]) >= 3)).toBe(true);
    });
    test.each([
      [{ perBatch: false }, 3],
      [{ perHead: false }, 2],
      [{ perBatch: false, perHead: false }, 1],
    ])('%o: asked for one of them', (options, times) => {
      const { mask, asked } = counted(options);
      engine().scaledDotProductAttention(...inputsOf(shape), { mask });
      expect([Math.max(...asked.values()), asked.size]).toEqual([1, times * 65 * 70]);
    });
    test('what it throws passes through, and the engine works on', () => {
      const mine = new Error('mine');
      const mask = masks.fromFunction(() => {
        throw mine;
      });
      expect(() => engine().scaledDotProductAttention(...inputsOf(shape), { mask })).toThrow(mine);
      expect(() => mask.toDense(shape)).toThrow(mine);
      expect(engine().relu({ data: Float32Array.of(-1, 2), shape: [2] }).data).toEqual(Float32Array.of(0, 2));
    });
    test('may call the engine itself', () => {
      const inner = random.tensor([3]);
      const mask = masks.fromFunction((_b, _h, p, j) => (engine().softmax(inner).data[0] as number) > 0 && j <= p);
      const small: WholeShape = { batch: 1, heads: 1, queries: 5, keys: 5, queryOffset: 0 };
      expectRule({ mask, rule: oracle.causal, text: 'fromFunction' }, small);
    });
  });
});
