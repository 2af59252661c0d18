import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import type { CacheConfig } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import { attention } from './oracle/attention.ts';
import * as rules from './oracle/masks.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const queries = (S: number) => random.tensor([4, S, 6]);
const three = (S: number, Sq = S): [q: Floats, k: Floats, v: Floats] => [
  queries(Sq),
  random.tensor([2, S, 6]),
  random.tensor([2, S, 5]),
];
const append = (both: Twin, S: number) => {
  const [, k, v] = three(S);
  both.append(k, v);
};
const everything = { weights: 'biased', logSumExp: true } as const;
const one = { numKvHeads: 2, headDim: 6, valueDim: 5 };

forEachVariant(`kvCache with a window, seed ${seed}`, (engine) => {
  const twin = (window: number, own: Partial<CacheConfig> = {}) => new Twin(engine(), { ...one, window, ...own });

  const windows: [window: number, own: Partial<CacheConfig>][] = [
    [1, {}],
    [4, {}],
    [4, { sinkTokens: 2 }],
    [9, { sinkTokens: 1, capacity: 10 }],
    [9, { sinkTokens: 3, capacity: 20 }],
    [16, { sinkTokens: 4 }],
    [64, {}],
    [70, { sinkTokens: 1, dtype: 'float16' }],
    [100, { sinkTokens: 4, capacity: 150, dtype: 'int8' }],
  ];
  describe.each(windows)('of %i, %j', (window, own) => {
    test('token by token, far past the window', () => {
      const both = twin(window, own);
      for (let n = 0; n < 2 * both.cache.capacity + 5; n++) both.attend(three(1), {}, n % 3 ? {} : everything);
      both.attendOnly(queries(2));
      both.attendOnly(queries(2), { causal: true, alibi: true });
      both.dispose();
    });
    test.each([2, 3, 7, 16, 65, 130])('chunks of %i: what token by token gives', (count) => {
      const both = twin(window, own);
      for (let n = 0; n < 3; n++) both.attend(three(count), { alibi: n === 1 }, n % 2 ? {} : everything);
      both.attend(three(1), {}, everything);
      both.dispose();
    });
    test('appended alone, more than there is room for', () => {
      const both = twin(window, own);
      for (const count of [3, 400, 5, 1]) append(both, count);
      both.attend(three(2), {}, everything);
      both.attendOnly(queries(3), { causal: true });
      both.dispose();
    });
    test('an offset that is given is obeyed', () => {
      const both = twin(window, own);
      append(both, 30);
      for (const queryOffset of [0, 5, 29, 31, 200]) {
        both.attend(three(3), { queryOffset }, everything);
        both.attend([queries(2), null, null], { queryOffset }, everything);
        both.attend([queries(2), null, null], { queryOffset, causal: true }, everything);
      }
      both.attend(three(3, 2), { causal: 'lower-right' }, everything);
      both.dispose();
    });
    test('truncated and continued, or refused where a window would reach what is gone', () => {
      const both = twin(window, own);
      append(both, both.cache.capacity + 3);
      const { sinkTokens = 0 } = own;
      const firstHeld = both.cache.length - (both.cache.capacity - sinkTokens);
      for (let n = 0; n <= both.cache.length; n++) {
        const possible = n <= sinkTokens || n + 1 >= firstHeld + window;
        expect([n, both.model.canTruncate(n)]).toEqual([n, possible]);
        if (!possible) both.refuses((cache) => cache.truncate(n), 'INVALID_ARGUMENT', 'length');
      }
      both.truncate(firstHeld + window - 1);
      both.attend(three(2), {}, everything);
      both.attend(three(2), {}, everything);
      both.attendOnly(queries(2));
      append(both, 200);
      both.attend(three(1), {}, everything);
      both.truncate(sinkTokens);
      both.attend(three(4), {}, everything);
      both.attendOnly(queries(1), { queryOffset: 3 });
      both.dispose();
    });
  });

  test('capacity is the sinks and the window unless given, and length counts on', () => {
    const cache = engine().kvCache({ ...one, window: 5, sinkTokens: 2 });
    const [, k, v] = three(50);
    cache.append(k, v);
    expect([cache.capacity, cache.length]).toEqual([7, 50]);
    cache.dispose();
    const larger = engine().kvCache({ ...one, window: 5, capacity: 30 });
    expect(larger.capacity).toBe(30);
    larger.dispose();
  });
  test.each([
    [4, 0, 1],
    [4, 0, 3],
    [8, 2, 5],
    [64, 4, 130],
  ])(
    'a window of %i with %i sinks and a rollback of %i: drafts are taken back as if they had never come',
    (w, sinkTokens, rollback) => {
      const both = twin(w, { sinkTokens, rollback });
      expect(both.cache.capacity).toBe(w + sinkTokens + rollback);
      append(both, 3 * w + sinkTokens);
      for (const draft of [rollback, 1, Math.ceil(rollback / 2), rollback]) {
        const length = both.cache.length;
        append(both, draft);
        const fork = both.fork();
        for (const each of [both, fork, both.reloaded()]) {
          each.truncate(length);
          each.attend(three(1), {}, everything);
        }
        fork.dispose();
        append(both, rollback); // until what was forgotten has been evicted again
      }
      const { length } = both.cache;
      both.refuses((cache) => cache.truncate(length - rollback - 2), 'INVALID_ARGUMENT', 'length');
      both.dispose();
    },
  );
  test('the query at p sees j < sinkTokens or p − w < j ≤ p: attention over the whole under that rule', () => {
    const [q, k, v] = three(40);
    const { output, probabilities } = attention(q, k, v, { causal: true, rule: ({ p, j }) => j < 2 || j > p - 5 });
    const cache = engine().kvCache({ ...one, window: 5, sinkTokens: 2 });
    const got = cache.attend(q, k, v, { weights: true });
    expectClose(got.output, output, 1e-5);
    expectClose(got.weights, probabilities, 1e-6);
    cache.dispose();
  });
  test('columns are absolute positions, and what is gone is −∞ or 0 there', () => {
    const both = twin(4, { sinkTokens: 1 });
    append(both, 11);
    const seen = [0, 8, 9, 10, 11]; // 7 is still there, but its window is over
    for (const weights of ['scores', 'softcapped', 'biased', 'probabilities'] as const) {
      const fork = both.fork();
      const { weights: got } = fork.cache.attend(...three(1), { weights, softcap: 3 });
      expect(got.shape).toEqual([1, 4, 1, 12]);
      const masked = weights === 'probabilities' ? 0 : -Infinity;
      const there = Array.from(got.data.subarray(0, 12), (x) => x !== masked);
      const told = weights === 'scores' || weights === 'softcapped' ? [0, 7, 8, 9, 10, 11] : seen;
      expect(there.flatMap((is, j) => (is ? [j] : []))).toEqual(told);
      fork.dispose();
    }
    both.dispose();
  });
  test('masks count absolute positions too', () => {
    const both = twin(8, { sinkTokens: 2 });
    append(both, 30);
    const bits = {
      data: Uint8Array.from({ length: 33 }, (_, j) => Number(j % 3 !== 0)),
      shape: [1, 33],
      dtype: 'bool' as const,
    };
    both.attend(three(3), { attentionMask: bits }, everything);
    both.attend(three(3), { mask: random.tensor([3, 36]) }, everything);
    both.attend(three(3), { kvLengths: [37] }, everything);
    both.attend(three(3), { mask: masks.globalTokens([1, 30]), rule: rules.globalTokens([1, 30]) }, everything);
    both.attend(three(3), { mask: masks.dilated(3, 2), rule: rules.dilated(3, 2) }, everything);
    both.attend(three(1), { window: [2, -1], sinks: random.tensor([4]) }, everything);
    both.dispose();
  });
  test('memory stays as it is however long it goes on', () => {
    const cache = engine().kvCache({ ...one, window: 20, sinkTokens: 2 });
    const feed = (count: number) => {
      const [, k, v] = three(count);
      cache.append(k, v);
    };
    for (let n = 0; n < 400; n++) feed(1);
    const [bytes, memory] = [cache.byteLength, engine().info.memoryBytes];
    for (let n = 0; n < 1200; n++) feed(1 + (n % 3));
    // A page may be begun or not yet given back: of 16 to 128 keys.
    expect(cache.byteLength).toBeLessThanOrEqual(bytes + 128 * 2 * 11 * 4);
    expect(engine().info.memoryBytes).toBe(memory);
    expect(cache.length).toBe(400 + 3 * 800);
    cache.dispose();
  });
  test('forks and bytes of what was evicted', () => {
    const both = twin(6, { sinkTokens: 1 });
    append(both, 25);
    const [fork, again] = [both.fork(), both.reloaded()];
    for (const each of [both, fork, again]) {
      each.attend(three(2), {}, everything);
      each.refuses((cache) => cache.truncate(10), 'INVALID_ARGUMENT', 'length');
      each.truncate(26);
      each.attend(three(9), {}, everything);
      each.clear();
      each.attend(three(9), {}, everything);
      each.dispose();
    }
  });
});
