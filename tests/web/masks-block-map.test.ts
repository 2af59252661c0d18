import { describe, expect, test } from 'vitest';
import { blockMap, masks } from '../../dist/masks/index.js';
import { decode } from './block-map.ts';
import { builders, type Fit, type Told } from './mask-builders.ts';
import { randomTree } from './mask-trees.ts';
import * as oracle from './oracle/masks.ts';
import { Random, seed } from './random.ts';

const random = new Random(seed);

function expectBlocks({ mask, rule, text }: Told, fit: Fit): void {
  const pairs = decode(blockMap(mask, fit.extents, fit.heads), fit);
  fit.extents.forEach((extent, b) => {
    for (let h = 0; h < fit.heads; h++) {
      const want = oracle.plane(rule, b, h, extent);
      const wrong = want.findIndex((bit, n) => pairs[b]?.[h]?.[n] !== bit);
      if (wrong >= 0) throw new Error(`${text} over ${JSON.stringify(fit)}: pair ${wrong} of b ${b}, h ${h}`);
    }
  });
}

const anyLength = () => random.pick([0, 1, random.integer(2, 63), 64, 65, 128, random.integer(66, 300)]);

/** Batch entries of one length, or each of its own as in packed sequences. */
function anyFit(): Fit {
  const any = () => ({
    queries: anyLength(),
    keys: anyLength(),
    offset: random.chance(0.3) ? 0 : random.integer(-100, 150),
  });
  const shared = any();
  const ragged = random.chance(0.4);
  const extents = Array.from({ length: random.integer(1, 3) }, () => (ragged ? any() : shared));
  return { heads: random.integer(1, 3), extents };
}

describe(`block maps, seed ${seed}`, () => {
  test.each(Object.entries(builders))('say what the rule says: %s', (_, build) => {
    for (let round = 0; round < 40; round++) {
      const fit = anyFit();
      expectBlocks(build(random, fit), fit);
    }
  });

  test('say what combinations of rules say', () => {
    for (let round = 0; round < 300; round++) {
      const fit = anyFit();
      expectBlocks(randomTree(random, fit), fit);
    }
  });

  test('keep the runs of a row from those of the next', () => {
    const ids = Array.from({ length: 192 }, (_, p) => p >> 6);
    const told = { text: 'documents of one block', mask: masks.documents(ids), rule: oracle.documents(ids) };
    expectBlocks(told, { heads: 1, extents: [{ queries: 192, keys: 192, offset: 0 }] });
  });

  test('find the one pair in reach at the corner of a block', () => {
    for (const offset of [199, 200, 201]) {
      const extents = [{ queries: 1, keys: 1, offset }];
      const [[pairs]] = decode(blockMap(masks.dilated(1, 200), extents, 1), { heads: 1, extents }) as [[Uint8Array]];
      expect([offset, ...pairs]).toEqual([offset, offset === 200 ? 1 : 0]);
    }
  });
});

describe('the size of block maps', () => {
  const long = [{ queries: 65536, keys: 65536, offset: 0 }];
  test.each([
    // Words: 5 + 1 plane + 1025 row starts, 3 a run, 128 a pattern. A window of 257 meets its lower edge in blocks
    // from the fifth on, and the diagonal in each.
    ['slidingWindow(256, 0)', masks.slidingWindow(256, 0), 1031 + 3 * (1023 + 1024 + 1020) + 2 * 128],
    ['causal', masks.causal(), 1031 + 3 * (1023 + 1024) + 128],
    ['everything', masks.causal().or(masks.causal().not()), 1031 + 3 * 1024 + 0 * 128],
    ['nothing', masks.causal().and(masks.causal().not()), 1031],
  ])('%s at 65,536', (name, mask, words) => {
    const map = blockMap(mask, long, 4);
    // 'everything' and 'nothing' come out right along the diagonal only if looked-at blocks are told full and empty.
    expect([name, map.length]).toEqual([name, words]);
  });

  test('planes that are alike are compiled once', () => {
    const extents = [0, 0, 0].map((offset) => ({ queries: 100, keys: 100, offset }));
    const planes = (mask: Told['mask'], over: Fit['extents'] = extents) => [...blockMap(mask, over, 5).subarray(0, 2)];
    expect(planes(masks.causal())).toEqual([1, 1]);
    expect(planes(masks.causal(), [...extents.slice(1), { queries: 100, keys: 100, offset: 1 }])).toEqual([3, 1]);
    expect(planes(masks.keyPadding([3, 4, 5]))).toEqual([3, 1]);
    expect(planes(masks.fromFunction((_b, h) => h > 1, { perBatch: false }).and(masks.causal()))).toEqual([1, 5]);
    expect(planes(masks.fromFunction(() => true).not())).toEqual([3, 5]);
  });

  test('the latest shapes are kept, and a shape asked for again stays', () => {
    const mask = masks.causal();
    const at = (keys: number) => blockMap(mask, [{ queries: 1, keys, offset: keys - 1 }], 2);
    const first = at(100);
    for (let keys = 101; keys < 120; keys++) {
      at(keys);
      expect(at(100)).toBe(first);
    }
    for (let keys = 120; keys < 130; keys++) at(keys);
    expect(at(100)).not.toBe(first);
    expect(at(100)).toEqual(first);
  });
});
