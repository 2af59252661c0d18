import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import type { Options } from './against-oracle.ts';
import { type CacheConfig, cacheTypes } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import * as rules from './oracle/masks.ts';
import { type Floats, inType, type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
// Two batch entries, four query heads over two key heads, D 6 and Dv 5.
const config: CacheConfig = { batch: 2, numKvHeads: 2, headDim: 6, valueDim: 5, capacity: 300 };
const queries = (S: number) => random.tensor([2, 4, S, 6]);
const keys = (S: number) => random.tensor([2, 2, S, 6]);
const values = (S: number) => random.tensor([2, 2, S, 5]);
const three = (S: number, Sq = S): [q: Floats, k: Floats, v: Floats] => [queries(Sq), keys(S), values(S)];
const everything = { weights: 'biased', logSumExp: true } as const;

forEachVariant(`kvCache, seed ${seed}`, (engine) => {
  const twin = (own: Partial<CacheConfig> = {}) => new Twin(engine(), { ...config, ...own });
  /** One that already holds 20 tokens. */
  const filled = (own: Partial<CacheConfig> = {}) => {
    const both = twin(own);
    both.append(keys(20), values(20));
    return both;
  };

  describe('shapes', () => {
    type Form = [
      name: string,
      batch: number,
      heads: [number, number],
      shape: (S: number, H: number, D: number) => number[],
      options: Options,
    ];
    const forms: Form[] = [
      ['[S,D]', 1, [1, 1], (S, _, D) => [S, D], {}],
      ['[H,S,D]', 1, [4, 2], (S, H, D) => [H, S, D], {}],
      ['[S,H·D]', 1, [4, 2], (S, H, D) => [S, H * D], { numHeads: 4, numKvHeads: 2 }],
      ['[B,S,H·D]', 2, [6, 2], (S, H, D) => [2, S, H * D], { numHeads: 6, numKvHeads: 2 }],
      ['[B,S,H·D] of one head each', 2, [1, 1], (S, _, D) => [2, S, D], { numHeads: 1, numKvHeads: 1 }],
      ['BHSD', 2, [4, 2], (S, H, D) => [2, H, S, D], {}],
      ['BHSD by name', 2, [4, 2], (S, H, D) => [2, H, S, D], { layout: 'BHSD', numHeads: 4, numKvHeads: 2 }],
      ['BSHD', 2, [6, 2], (S, H, D) => [2, S, H, D], { layout: 'BSHD' }],
    ];
    test.each(forms)('%s', (_, batch, [H, Hkv], shape, options) => {
      const both = new Twin(engine(), { ...config, batch, numKvHeads: Hkv });
      const { numHeads: _heads, ...axes } = options;
      const pair = (S: number) => [random.tensor(shape(S, Hkv, 6)), random.tensor(shape(S, Hkv, 5))] as const;
      const query = (S: number) => random.tensor(shape(S, H, 6));
      both.append(...pair(3), axes as object);
      both.attend([query(4), ...pair(4)], options, everything);
      both.attend([query(1), ...pair(1)], options, everything);
      both.append(...pair(130), axes as object);
      both.attend([query(2), ...pair(2)], options, everything);
      both.attendOnly(query(3), options);
      both.dispose();
    });
    test('packed inputs have the key heads of the cache unless they say so', () => {
      const both = twin();
      const packed = (S: number) =>
        [random.tensor([2, S, 24]), random.tensor([2, S, 12]), random.tensor([2, S, 10])] as const;
      both.attend([...packed(5)], { numHeads: 4 }, everything);
      both.attend([...packed(5)], { numHeads: 4, numKvHeads: 2 }, everything);
      both.attendOnly(random.tensor([2, 3, 24]), { numHeads: 4 });
      both.dispose();
    });
    test('what was appended in one form is attended in every other', () => {
      const both = twin();
      both.append(keys(5), values(5));
      both.append(random.tensor([2, 6, 2, 6]), random.tensor([2, 6, 2, 5]), { layout: 'BSHD' });
      both.append(random.tensor([2, 7, 12]), random.tensor([2, 7, 10]), { numKvHeads: 2 });
      both.attendOnly(queries(4));
      both.attendOnly(random.tensor([2, 4, 4, 6]), { layout: 'BSHD' });
      both.attendOnly(random.tensor([2, 3, 24]), { numHeads: 4 });
      both.dispose();
    });
    test('keys and values are float32, float64 or float16', () => {
      const both = twin();
      for (const key of ['float32', 'float64', 'float16'] as const)
        for (const value of ['float32', 'float64', 'float16'] as const) {
          both.append(inType(key, keys(3)), inType(value, values(3)));
          both.attend([inType(value, queries(2)), inType(key, keys(2)), inType(value, values(2))]);
        }
      both.attendOnly(queries(1));
      both.dispose();
    });
    test('tensors of the engine are read in place, and may go afterwards', () => {
      const both = twin();
      both.attend(three(5), {}, { resident: ['q', 'k', 'v'] });
      both.attend(three(5), { mask: random.tensor([5, 10]) }, { resident: ['q', 'k', 'v', 'mask'], out: 'tensor' });
      both.attendOnly(queries(2));
      both.dispose();
    });
    test('no tokens, no queries', () => {
      const both = twin();
      both.attendOnly(queries(3)); // zeros
      both.append(keys(0), values(0));
      both.attend(three(0), {}, everything);
      both.attend([queries(2), keys(0), values(0)], {}, everything);
      both.attend([queries(0), keys(3), values(3)], {}, everything);
      expect(both.cache.length).toBe(3);
      both.attend([queries(0), null, null], {}, everything);
      both.attendOnly(queries(2));
      both.dispose();
    });
  });

  describe('positions', () => {
    test.each([[[50]], [[1, 49]], [[17, 1, 1, 1, 30]], [Array(50).fill(1)]])('chunks of %j', (chunks) => {
      const both = twin();
      for (const count of chunks as number[]) both.attend(three(count), {}, everything);
      both.attendOnly(queries(1));
      both.dispose();
    });
    test('past every size of a page', () => {
      const both = twin();
      for (const count of [15, 1, 1, 15, 31, 2, 62, 1, 1, 126, 1, 1])
        both.attend(three(count, Math.min(3, count)), { queryOffset: both.cache.length });
      both.dispose();
    });
    test.each(cacheTypes)('thousands of keys, in %s', (dtype) => {
      const both = twin({ capacity: 5000, dtype });
      for (const [count, Sq] of [
        [1500, 5],
        [70, 40],
        [1, 1],
        [300, 17],
        [1, 1],
      ] as const)
        both.attend(three(count, Sq), {}, everything);
      both.attend(
        [queries(70), null, null],
        { softcap: 5, window: [900, 0], causal: true, queryOffset: 1200 },
        everything,
      );
      both.dispose();
    });
    const given: [string, Options][] = [
      ['by default', {}],
      ['causal true', { causal: true }],
      ['causal false', { causal: false }],
      ["'lower-right'", { causal: 'lower-right' }],
      ["'lower-right' with lengths", { causal: 'lower-right', kvLengths: [23, 9] }],
      ['an offset', { queryOffset: 7 }],
      ['a negative offset', { queryOffset: -2 }],
      ['an offset for each entry', { queryOffset: [3, 21] }],
      ['an offset past the end', { queryOffset: 400 }],
      ['an offset, not causal', { queryOffset: 7, causal: false, window: [3, 2] }],
    ];
    test.each(given)('with new keys, %s', (_, options) => {
      const both = filled();
      both.attend(three(5), options, everything);
      both.attend([queries(2), keys(4), values(4)], options, everything); // fewer queries than keys
      both.attend([queries(6), keys(1), values(1)], options, everything);
      both.dispose();
    });
    test.each(given)('of what is held, %s', (_, options) => {
      const both = filled();
      both.append(keys(3), values(3));
      both.attendOnly(queries(5), options);
      both.dispose();
    });
  });

  describe('options', () => {
    const bool = (shape: number[]): Plain => ({
      data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Number(random.chance(0.7))),
      shape,
      dtype: 'bool',
    });
    const some: [string, () => Options][] = [
      ['scale', () => ({ scale: 0.2 })],
      ['softcap', () => ({ softcap: 2 })],
      ['window', () => ({ window: [4, -1] })],
      ['kvLengths', () => ({ kvLengths: [24, 3] })],
      ['attentionMask', () => ({ attentionMask: bool([2, 25]) })],
      ['bool mask', () => ({ mask: bool([4, 5, 25]) })],
      ['float mask', () => ({ mask: random.tensor([2, 1, 5, 25]) })],
      ['short mask', () => ({ mask: bool([5, 22]) })],
      ['alibi', () => ({ alibi: true })],
      ['slopes', () => ({ alibi: random.tensor([4]) })],
      ['sinks', () => ({ sinks: random.tensor([4]) })],
      ['slidingWindow', () => ({ mask: masks.slidingWindow(6, 0), rule: rules.slidingWindow(6, 0) })],
      ['globalTokens', () => ({ mask: masks.globalTokens([2, 22]), rule: rules.globalTokens([2, 22]), causal: false })],
      ['prefixLM', () => ({ mask: masks.prefixLM([22, 3]), rule: rules.prefixLM([22, 3]), causal: false })],
    ];
    test.each(some)('%s', (_, options) => {
      const appending = filled();
      appending.attend(three(5), options(), everything);
      const looking = filled();
      looking.append(keys(5), values(5));
      looking.attendOnly(queries(5), options());
      for (const both of [appending, looking]) both.dispose();
    });
    test('one mask serves prefill and decode', () => {
      const mask = masks.slidingWindow(5, 0).or(masks.globalTokens([0]));
      const rule = rules.or(rules.slidingWindow(5, 0), rules.globalTokens([0]));
      const both = twin();
      for (const count of [12, 1, 1, 1, 9, 1]) both.attend(three(count), { mask, rule }, everything);
      both.dispose();
    });
    test('undefined is an option not given', () => {
      const both = filled();
      const nothing = { causal: undefined, queryOffset: undefined, layout: undefined, numKvHeads: undefined };
      both.cache.append(keys(1), values(1), { layout: undefined, numKvHeads: undefined } as never);
      both.cache.truncate(20);
      both.attend(three(2), nothing as never, everything);
      both.dispose();
    });
    test('out: an array or a tensor', () => {
      const both = filled();
      for (const out of ['array', 'tensor'] as const) {
        both.attend(three(3), {}, { out });
        both.attend([queries(3), null, null], {}, { out, ...everything });
      }
      both.dispose();
    });
  });
});
