import { type Attention, AttentionError, createAttention, type KvCache, masks } from 'attention-wasm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { Twin } from './kv-cache-twin.ts';
import { attention } from './oracle/attention.ts';
import { type Floats, Random } from './random.ts';
import { load, variants } from './variants.ts';

const random = new Random(31);
const sizes = { batch: 2, numKvHeads: 2, headDim: 8, valueDim: 5, capacity: 400 };
const three = (S: number): [q: Floats, k: Floats, v: Floats] => [
  random.tensor([2, 4, S, 8]),
  random.tensor([2, 2, S, 8]),
  random.tensor([2, 2, S, 5]),
];
const disposed = expect.objectContaining({ code: 'DISPOSED' });

/** What the caller's own code does while it is asked: a rule, once, and then it says yes. */
const ruleThat = (act: () => void) => {
  let isDone = false;
  return masks.fromFunction(() => {
    if (!isDone) act();
    isDone = true;
    return true;
  });
};
const getterThat = ({ data, shape }: Floats, act: () => void) => ({
  shape,
  get data() {
    act();
    return data;
  },
});

// What goes wrong here may leave memory in pieces: each test has an engine of its own.
describe.each(variants)('a cache whose caller changes it while it is asked (%s)', (variant) => {
  let engine: Attention;
  let cache: KvCache;
  beforeEach(async () => {
    engine = await createAttention(load(variant));
    cache = engine.kvCache(sizes);
    const [, k, v] = three(3);
    cache.append(k, v);
  });
  afterEach(() => {
    const [q, k, v] = three(4); // the engine works on
    expectClose(engine.scaledDotProductAttention(q, k, v).output, attention(q, k, v).output, 1e-5);
    new Twin(engine, sizes).attend([q, k, v]);
    engine.dispose();
  });

  test('disposed by a rule', () => {
    const [q, k, v] = three(3);
    expect(() => cache.attend(q, k, v, { mask: ruleThat(() => cache.dispose()) })).toThrow(disposed);
  });
  test('disposed by a rule that only looks', () => {
    const [q] = three(3);
    expect(() => cache.attend(q, null, null, { mask: ruleThat(() => cache.dispose()) })).toThrow(disposed);
  });
  test('disposed by a rule of a layer', () => {
    const weights = { in_proj_weight: random.tensor([48, 16]), 'out_proj.weight': random.tensor([16, 16]) };
    using layer = engine.multiHeadAttention({ embedDim: 16, numHeads: 2 }, weights);
    const own = engine.kvCache({ ...sizes, valueDim: 8 });
    const mask = ruleThat(() => own.dispose());
    expect(() => layer.forward(random.tensor([2, 3, 16]), { cache: own, mask })).toThrow(disposed);
  });
  test('disposed by what holds the data', () => {
    const [q, k, v] = three(3);
    expect(() =>
      cache.append(
        getterThat(k, () => cache.dispose()),
        v,
      ),
    ).toThrow(disposed);
    const other = engine.kvCache(sizes);
    expect(() =>
      other.attend(
        q,
        k,
        getterThat(v, () => other.dispose()),
      ),
    ).toThrow(disposed);
  });
  test('disposed by a list of entries', () => {
    const batch = {
      length: 2,
      get 0() {
        cache.dispose();
        return 0;
      },
      1: 1,
    };
    expect(() => cache.reorder(batch)).toThrow(disposed);
  });
  test.each([
    ['appends', (c: KvCache) => c.append(random.tensor([2, 2, 3, 8]), random.tensor([2, 2, 3, 5])), 6],
    ['appends much', (c: KvCache) => c.append(random.tensor([2, 2, 300, 8]), random.tensor([2, 2, 300, 5])), 303],
    ['truncates', (c: KvCache) => c.truncate(1), 1],
    ['clears', (c: KvCache) => c.clear(), 0],
  ] as const)('a rule that %s: its answers were for another cache', (_, act, length) => {
    const [q, k, v] = three(3);
    for (const [key, value] of [[k, v] as const, [null, null] as const]) {
      const fork = cache.fork();
      expect(() => fork.attend(q, key, value, { mask: ruleThat(() => act(fork)) })).toThrow(AttentionError);
      expect(fork.length).toBe(length);
      fork.dispose();
    }
  });
  test('forgotten in the middle of a call that others share', () => {
    const fork = cache.fork();
    const [q, k, v] = three(3);
    const mask = ruleThat(() => cache.dispose());
    const want = fork.fork().attend(q, k, v).output;
    expectClose(fork.attend(q, k, v, { mask }).output, want, 1e-5);
  });

  describe('sizes past memory', () => {
    const past: [string, object][] = [
      ['a page larger than memory', { numKvHeads: 2 ** 30, headDim: 2 ** 30, capacity: 9 }],
      ['a page larger than 32 bits', { numKvHeads: 2 ** 16, headDim: 2 ** 16, valueDim: 1, capacity: 9 }],
      [
        'every size at its most',
        { batch: 2 ** 31 - 1, numKvHeads: 2 ** 31 - 1, headDim: 2 ** 31 - 1, capacity: 2 ** 31 - 1 },
      ],
    ];
    test.each(past)('%s', (_, config) => {
      expect(() => engine.kvCache(config as never)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    });
    test('more batch entries than a table has room for', () => {
      const many = engine.kvCache({ batch: 2 ** 31 - 1, numKvHeads: 1, headDim: 1, capacity: 2 ** 31 - 1 });
      expect([many.length, many.byteLength]).toEqual([0, 0]);
      const few = { data: new Float32Array(4), shape: [4, 1, 1, 1] };
      expect(() => many.append(few, few)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH', argument: 'k' }));
      many.fork().dispose();
      many.dispose();
    });
    test('a window larger than positions count', () => {
      expect(() => engine.kvCache({ numKvHeads: 1, headDim: 1, window: 2 ** 31 - 1, sinkTokens: 5 })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
      const both = new Twin(engine, { numKvHeads: 1, headDim: 4, window: 2 ** 31 - 1 });
      both.append(random.tensor([150, 4]), random.tensor([150, 4]));
      both.attend([random.tensor([2, 4]), random.tensor([2, 4]), random.tensor([2, 4])]);
      both.dispose();
    });
  });
});
