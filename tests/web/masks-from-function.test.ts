import { type Mask, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';

describe('rules from functions', () => {
  const counted = (options?: { perBatch?: boolean; perHead?: boolean }) => {
    const asked = new Map<string, number>();
    const mask = masks.fromFunction((...at) => {
      asked.set(at.join(), (asked.get(at.join()) ?? 0) + 1);
      return (at[2] + at[3]) % 3 === 0;
    }, options);
    return { mask, asked };
  };
  const shape = { batch: 2, heads: 2, queries: 70, keys: 130, queryOffset: 60 };

  test('are asked once for each pair, in however many masks', () => {
    const { mask, asked } = counted();
    mask.toDense(shape);
    mask.density(shape);
    mask.or(mask.not()).and(masks.causal()).toDense(shape);
    expect(new Set(asked.values())).toEqual(new Set([1]));
    expect(asked.size).toBe(2 * 2 * 70 * 130);
  });

  test('are asked once for all where they say so, with 0', () => {
    const { mask, asked } = counted({ perBatch: false, perHead: false });
    mask.toDense(shape);
    expect(asked.size).toBe(70 * 130);
    expect(new Set(asked.values())).toEqual(new Set([1]));
    expect([...asked.keys()].every((at) => at.startsWith('0,0,'))).toBe(true);
  });

  const { causal } = masks;
  type Combined = (mask: Mask) => Mask;
  test.each<[string, number, Combined]>([
    ['causal and it', 4 + 3 + 2 + 1, (mask) => causal().and(mask)],
    ['it and causal', 4 + 3 + 2 + 1, (mask) => mask.and(causal())],
    ['it and what is not causal', 4 + 3 + 2 + 1, (mask) => mask.and(causal().not())],
    ['it or causal', 4 + 3 + 2 + 1, (mask) => mask.or(causal())],
    ['it and a window', 4 + 3, (mask) => mask.not().and(masks.slidingWindow(64, 0))],
    ['it or tokens', 3 * 3, (mask) => mask.or(masks.globalTokens(Array.from({ length: 64 }, (_, j) => 192 + j)))],
  ])('are not asked about blocks that another rule decides: %s', (_, blocks, combine) => {
    const { mask, asked } = counted({ perBatch: false, perHead: false });
    combine(mask).toDense({ queries: 256, keys: 256 });
    expect(asked.size).toBe(blocks * 64 * 64);
  });

  test('throw what they throw, and can be asked again', () => {
    let fails = true;
    const cause = new Error('not now');
    const mask = masks.fromFunction((_b, _h, p, j) => {
      if (fails && p === 70) throw cause;
      return p !== j;
    });
    expect(() => mask.density({ queries: 100, keys: 100 })).toThrow(cause);
    fails = false;
    expect(mask.density({ queries: 100, keys: 100 })).toBe(0.99);
  });
});
