import { describe, expect, test } from 'vitest';
import { blockMap, type Extent, isMask, masks } from '../../dist/masks/index.js';
import { Random, seed } from './random.ts';

type Mask = ReturnType<typeof masks.causal>;
/** Batch entry, head, query position, key. */
type Says = (b: number, h: number, p: number, j: number) => boolean;
interface Sample {
  name: string;
  mask: Mask;
  says: Says;
}

/** The words of a block map, read as its description says, with everything the description promises checked. */
function decode(words: Int32Array, extents: readonly Extent[], heads: number) {
  const [batches, mapHeads, rows, runs, patterns] = words as unknown as [number, number, number, number, number];
  expect([1, extents.length]).toContain(batches);
  expect([1, heads]).toContain(mapHeads);
  const planes = words.subarray(5, 5 + batches * mapHeads);
  const rowStart = words.subarray(5 + planes.length, 5 + planes.length + rows + 1);
  const runsAt = 5 + planes.length + rows + 1;
  const patternsAt = runsAt + 3 * runs;
  expect(words.length).toBe(patternsAt + 128 * patterns);
  expect(rowStart[rows]).toBe(runs);
  const all = Array.from({ length: patterns }, (_, i) =>
    words.subarray(patternsAt + 128 * i, patternsAt + 128 * (i + 1)).join(),
  );
  expect(new Set(all).size).toBe(patterns);

  const used = new Set<number>();
  const pairs = extents.map(({ queries, keys }, b) =>
    Array.from({ length: heads }, (_, h) => {
      const out = new Uint8Array(queries * keys);
      const firstRow = planes[(batches === 1 ? 0 : b) * mapHeads + (mapHeads === 1 ? 0 : h)] as number;
      for (let row = 0; row * 64 < queries; row++) {
        let before = 0;
        let wasFull = false;
        for (let run = rowStart[firstRow + row] as number; run < (rowStart[firstRow + row + 1] as number); run++) {
          const [first, end, pattern] = words.subarray(runsAt + 3 * run) as unknown as [number, number, number];
          expect(end).toBeGreaterThan(first);
          expect(first).toBeGreaterThanOrEqual(before);
          expect(end).toBeLessThanOrEqual(Math.ceil(keys / 64));
          if (pattern === -1) expect(wasFull && before === first, 'neighbouring full runs').toBe(false);
          else expect([end - first, pattern >= 0 && pattern < patterns]).toEqual([1, true]);
          before = end;
          wasFull = pattern === -1;
          if (pattern >= 0) used.add(pattern);

          let set = 0;
          let there = 0;
          for (let r = 0; r < 64; r++) {
            for (let j = first * 64; j < end * 64; j++) {
              const word = patternsAt + 128 * pattern + 2 * r + ((j & 63) >> 5);
              const bit = pattern === -1 ? 1 : ((words[word] as number) >>> (j & 31)) & 1;
              if (row * 64 + r < queries && j < keys) {
                out[(row * 64 + r) * keys + j] = bit;
                there++;
                set += bit;
              } else if (pattern !== -1 && bit === 1) throw new Error(`a bit beyond the edge: row ${r}, key ${j}`);
            }
          }
          if (pattern !== -1) expect(set > 0 && set < there, 'a pattern for an empty or a full block').toBe(true);
        }
      }
      return out;
    }),
  );
  expect(used.size).toBe(patterns);
  return pairs;
}

function expectSays({ name, mask, says }: Sample, extents: readonly Extent[], heads: number): void {
  const pairs = decode(blockMap(mask, extents, heads), extents, heads);
  extents.forEach(({ queries, keys, offset }, b) => {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < queries; i++) {
        for (let j = 0; j < keys; j++) {
          const got = pairs[b]?.[h]?.[i * keys + j];
          const want = says(b, h, i + offset, j) ? 1 : 0;
          if (got !== want) {
            const shape = `${JSON.stringify(extents)} heads ${heads}`;
            throw new Error(
              `${name} ${shape}: got ${got}, wanted ${want} at b ${b} h ${h} i ${i} j ${j} (seed ${seed})`,
            );
          }
        }
      }
    }
  });
}

const flags = (random: Random, count: number) =>
  Uint8Array.from({ length: count }, () => (random.chance(0.5) ? 1 + random.integer(0, 2) : 0));
const list = (random: Random, count: number, low: number, high: number) =>
  Array.from({ length: count }, () => random.integer(low, high));

type Builder = (random: Random, extents: readonly Extent[], heads: number) => Sample;

/** Builders with random arguments that fit the extents, and what they say in words of their own. */
const builders: Record<string, Builder> = {
  causal: () => ({ name: 'causal', mask: masks.causal(), says: (_b, _h, p, j) => j <= p }),
  slidingWindow: (random) => {
    const [left, right] = list(random, 2, -1, 150) as [number, number];
    const says: Says = (_b, _h, p, j) => (left === -1 || j >= p - left) && (right === -1 || j <= p + right);
    return { name: `slidingWindow(${left},${right})`, mask: masks.slidingWindow(left, right), says };
  },
  'keyPadding lengths': (random, extents) => {
    const lengths = list(random, extents.length, 0, 260);
    return { name: 'lengths', mask: masks.keyPadding(lengths), says: (b, _h, _p, j) => j < (lengths[b] as number) };
  },
  'keyPadding table': (random, extents) => {
    const width = Math.max(0, ...extents.map(({ keys }) => keys)) + random.integer(0, 5);
    const padded = random.integer(0, 130);
    const data = flags(random, extents.length * width).map((flag, i) => (i % Math.max(1, width) < padded ? 0 : flag));
    const mask = masks.keyPadding({ data, dtype: 'bool', shape: [extents.length, width] });
    return { name: 'key table', mask, says: (b, _h, _p, j) => data[b * width + j] !== 0 };
  },
  prefixLM: (random, extents) => {
    const prefix = random.chance(0.5) ? random.integer(0, 200) : list(random, extents.length, 0, 200);
    const of = (b: number) => (typeof prefix === 'number' ? prefix : (prefix[b] as number));
    return { name: 'prefixLM', mask: masks.prefixLM(prefix), says: (b, _h, p, j) => j < of(b) || j <= p };
  },
  documents: (random, extents) => {
    const lengths = extents.map(({ queries, keys, offset }) => Math.max(keys, queries > 0 ? queries + offset : 0));
    const kind = random.pick(['any', 'sorted', 'of whole blocks']);
    const ids = (length: number) => {
      const values = list(random, length, -2, 5);
      if (kind === 'sorted') values.sort((a, b) => a - b);
      return kind === 'of whole blocks' ? values.map((_, p) => values[p >> 6] as number) : values;
    };
    const lists = random.chance(0.5) ? [ids(Math.max(...lengths))] : lengths.map(ids);
    const isShared = lists.length === 1;
    const of = (b: number) => lists[isShared ? 0 : b] as number[];
    const mask = masks.documents(isShared ? of(0) : lists);
    return { name: 'documents', mask, says: (b, _h, p, j) => p >= 0 && of(b)[p] === of(b)[j] };
  },
  dilated: (random) => {
    const [window, dilation] = [random.integer(0, 40), random.pick([1, 2, 3, 7, 64, 200])];
    const says: Says = (_b, _h, p, j) => Math.abs(p - j) <= window * dilation && Math.abs(p - j) % dilation === 0;
    return { name: `dilated(${window},${dilation})`, mask: masks.dilated(window, dilation), says };
  },
  globalTokens: (random) => {
    const tokens = random.chance(0.2) ? Array.from({ length: 70 }, (_, i) => 60 + i) : list(random, 4, 0, 300);
    const says: Says = (_b, _h, p, j) => tokens.includes(p) || tokens.includes(j);
    return { name: 'globalTokens', mask: masks.globalTokens(tokens), says };
  },
  blockSparse: (random, extents, heads) => {
    const size = random.pick([1, 5, 16, 64, 100]);
    const rows = Math.max(0, ...extents.map(({ queries, offset }) => Math.ceil((queries + offset) / size)));
    const columns = Math.max(0, ...extents.map(({ keys }) => Math.ceil(keys / size))) + random.integer(0, 1);
    const [batches, planes] = [random.pick([1, extents.length]), random.pick([1, heads])];
    const data = flags(random, batches * planes * rows * columns);
    const mask = masks.blockSparse({ data, shape: [batches, planes, rows, columns] }, size);
    const says: Says = (b, h, p, j) => {
      const plane = (batches === 1 ? 0 : b) * planes + (planes === 1 ? 0 : h);
      return p >= 0 && data[(plane * rows + Math.floor(p / size)) * columns + Math.floor(j / size)] !== 0;
    };
    return { name: `blockSparse ${size}`, mask, says };
  },
  dense: (random, extents, heads) => {
    const most = [Math.max(...extents.map(({ queries }) => queries)), Math.max(...extents.map(({ keys }) => keys))];
    const full = [extents.length, heads, most[0] as number, most[1] as number];
    const dims = full.map((size) => (random.chance(0.3) ? 1 : size));
    if (random.chance(0.3)) dims[3] = random.integer(0, full[3] as number);
    const shape = dims.slice(random.integer(0, 4));
    const padded = [1, 1, 1, 1, ...shape].slice(-4);
    const data = flags(
      random,
      shape.reduce((product, size) => product * size, 1),
    );
    const says: Says = (b, h, p, j) => {
      const at = [b, h, p - (extents[b]?.offset as number), j].map((x, axis) => (padded[axis] === 1 ? 0 : x));
      const inside = at.every((x, axis) => x < (padded[axis] as number));
      return inside && data[at.reduce((index, x, axis) => index * (padded[axis] as number) + x, 0)] !== 0;
    };
    return { name: `dense [${shape}]`, mask: masks.dense({ data, dtype: 'bool', shape }), says };
  },
  fromFunction: (random) => {
    const [perBatch, perHead] = [random.chance(0.5), random.chance(0.5)];
    const rule: Says = (b, h, p, j) => (p * 31 + j * 17 + b * 5 + h * 3) % 7 < 3;
    const says: Says = (b, h, p, j) => rule(perBatch ? b : 0, perHead ? h : 0, p, j);
    return { name: 'fromFunction', mask: masks.fromFunction(rule, { perBatch, perHead }), says };
  },
};

function anyMask(random: Random, extents: readonly Extent[], heads: number, depth: number): Sample {
  const choice = depth === 0 ? 0 : random.integer(0, 3);
  if (choice === 0) return random.pick(Object.values(builders))(random, extents, heads);
  const a = anyMask(random, extents, heads, depth - 1);
  if (choice === 1) return { name: `not(${a.name})`, mask: a.mask.not(), says: (...at) => !a.says(...at) };
  const b = anyMask(random, extents, heads, depth - 1);
  return choice === 2
    ? { name: `(${a.name} and ${b.name})`, mask: a.mask.and(b.mask), says: (...at) => a.says(...at) && b.says(...at) }
    : { name: `(${a.name} or ${b.name})`, mask: a.mask.or(b.mask), says: (...at) => a.says(...at) || b.says(...at) };
}

const anyLength = (random: Random) => random.pick([0, 1, random.integer(2, 63), 64, 65, 128, random.integer(66, 300)]);

function anyExtents(random: Random): Extent[] {
  const any = () => ({
    queries: anyLength(random),
    keys: anyLength(random),
    offset: random.chance(0.3) ? 0 : random.integer(-100, 150),
  });
  const shared = any();
  const ragged = random.chance(0.4);
  return Array.from({ length: random.integer(1, 3) }, () => (ragged ? any() : shared));
}

describe('block maps', () => {
  test.each(Object.entries(builders))('say what the rule says: %s', (_, build) => {
    const random = new Random(seed);
    for (let round = 0; round < 40; round++) {
      const extents = anyExtents(random);
      const heads = random.integer(1, 3);
      expectSays(build(random, extents, heads), extents, heads);
    }
  });

  test('say what combinations of rules say', () => {
    const random = new Random(seed + 1);
    for (let round = 0; round < 300; round++) {
      const extents = anyExtents(random);
      const heads = random.integer(1, 2);
      expectSays(anyMask(random, extents, heads, 3), extents, heads);
    }
  });

  test('keep the runs of a row from those of the next', () => {
    const ids = Array.from({ length: 192 }, (_, p) => p >> 6);
    const says: Says = (_b, _h, p, j) => p >> 6 === j >> 6;
    const extents = [{ queries: 192, keys: 192, offset: 0 }];
    expectSays({ name: 'documents of one block', mask: masks.documents(ids), says }, extents, 1);
  });

  test('find the one pair in reach at the corner of a block', () => {
    for (const offset of [199, 200, 201]) {
      const extents = [{ queries: 1, keys: 1, offset }];
      const [[pairs]] = decode(blockMap(masks.dilated(1, 200), extents, 1), extents, 1) as [[Uint8Array]];
      expect([offset, ...pairs]).toEqual([offset, offset === 200 ? 1 : 0]);
    }
  });

  test('toDense and density read the same map', () => {
    const random = new Random(seed + 2);
    for (let round = 0; round < 40; round++) {
      const [queries, keys] = [anyLength(random), anyLength(random)];
      const queryOffset = list(random, random.integer(1, 2), -70, 70);
      const extents = queryOffset.map((offset) => ({ queries, keys, offset }));
      const heads = random.integer(1, 2);
      const { mask, says, name } = anyMask(random, extents, heads, 2);
      const want = queryOffset.flatMap((offset, b) =>
        Array.from({ length: heads * queries * keys }, (_, at) => {
          const [h, i, j] = [Math.floor(at / (queries * keys)), Math.floor(at / keys) % queries, at % keys];
          return says(b, h, i + offset, j) ? 1 : 0;
        }),
      );
      const shape = { batch: extents.length, heads, queries, keys, queryOffset };
      const got = mask.toDense(shape);
      const at = want.findIndex((value, index) => value !== got.data[index]);
      expect([got.data.length, at], `${name} (seed ${seed})`).toEqual([want.length, -1]);
      expect([got.shape, got.dims, got.dtype]).toEqual([[extents.length, heads, queries, keys], got.shape, 'bool']);
      const share = want.length === 0 ? 0 : want.filter((value) => value === 1).length / want.length;
      expect(Math.abs(mask.density(shape) - share)).toBeLessThanOrEqual(1e-15);
    }
  });

  test('bigBird has its window, its global blocks and as many random ones as asked for', () => {
    const options = { blockSize: 16, window: 3, globalBlocks: 1, randomBlocks: 2 };
    const blocks = 20;
    const extent = { queries: blocks * 16, keys: blocks * 16 - 3, offset: 0 };
    const [[pairs]] = decode(blockMap(masks.bigBird(options), [extent], 2), [extent], 1) as [[Uint8Array]];
    const attends = (i: number, j: number) => pairs[i * extent.keys + j] === 1;
    for (let r = 0; r < blocks; r++) {
      const columns = Array.from({ length: blocks }, (_, c) => c).filter((c) => attends(r * 16, c * 16));
      const given = Array.from({ length: blocks }, (_, c) => c).filter((c) => r < 1 || c < 1 || Math.abs(r - c) <= 1);
      expect(columns).toEqual(expect.arrayContaining(given));
      expect(columns.length).toBe(Math.min(blocks, given.length + 2));
      for (let i = r * 16; i < (r + 1) * 16; i++) {
        for (let j = 0; j < extent.keys; j++) {
          if (attends(i, j) !== columns.includes(Math.floor(j / 16))) throw new Error(`${i},${j} is not as its block`);
        }
      }
    }
    const dense = (seed?: number) => masks.bigBird({ ...options, seed }).toDense({ queries: 320, keys: 320 }).data;
    expect(dense()).toEqual(dense(0));
    expect(dense(1)).toEqual(dense(1));
    expect(dense(1)).not.toEqual(dense(2));
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
    const planes = (mask: Mask, over: readonly Extent[] = extents) => [...blockMap(mask, over, 5).subarray(0, 2)];
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

describe('masks', () => {
  test('are told from what looks like them', () => {
    expect(isMask(masks.causal())).toBe(true);
    expect(isMask(masks.causal().and(masks.causal().not()))).toBe(true);
    expect([null, undefined, 1, {}, { ...masks.causal() }, Object.create(masks.causal())].filter(isMask)).toEqual([]);
  });

  test('do not change with what they were made from', () => {
    const data = new Uint8Array([1, 0, 0, 1]);
    const ids = [0, 1];
    const make = () => [
      masks.dense({ data, dtype: 'bool', shape: [2, 2] }),
      masks.documents(ids),
      masks.documents([ids]),
      masks.keyPadding({ data, dtype: 'bool', shape: [1, 4] }),
      masks.blockSparse({ data, dtype: 'bool', shape: [1, 1, 2, 2] }, 1),
    ];
    const shape = { queries: 2, keys: 2 };
    const made = make();
    const want = make().map((mask) => [...mask.toDense(shape).data]);
    data.fill(0);
    ids.fill(0);
    expect(made.map((mask) => [...mask.toDense(shape).data])).toEqual(want);
    expect(made.every((mask) => Object.isFrozen(mask))).toBe(true);
  });

  test('too large to be written down are refused, and still have a density', () => {
    const shape = { queries: 2 ** 16, keys: 2 ** 16 };
    const many = 2 ** 31 - 1;
    const tooLarge = expect.objectContaining({ code: 'OUT_OF_MEMORY', argument: 'shape' });
    expect(() => masks.causal().toDense(shape)).toThrow(tooLarge);
    expect(() => masks.causal().toDense({ ...shape, heads: many })).toThrow(tooLarge);
    expect(() => masks.causal().toDense({ queries: 1, keys: 0, batch: many })).toThrow(tooLarge);
    expect(() => masks.keyPadding([1]).density({ ...shape, batch: many })).toThrow(tooLarge);
    expect(() => masks.fromFunction(() => true).density({ ...shape, heads: many })).toThrow(tooLarge);
    expect(masks.causal().density(shape)).toBe((2 ** 16 + 1) / 2 ** 17);
    expect(masks.causal().density({ queries: 1, keys: many, queryOffset: 2 ** 30 - 1 })).toBe(2 ** 30 / many);
  });

  test.each([
    ['keyPadding lengths', masks.keyPadding([1, 2, 3])],
    ['a narrow key table', masks.keyPadding({ data: new Uint8Array(198), dtype: 'bool', shape: [2, 99] })],
    ['prefixes', masks.prefixLM([1])],
    ['documents of other batches', masks.documents([new Int32Array(200)])],
    ['too few ids', masks.documents(new Int32Array(109))],
    ['too few block rows', masks.blockSparse({ data: new Uint8Array(20), shape: [1, 1, 2, 10] }, 50)],
    ['too few block columns', masks.blockSparse({ data: new Uint8Array(10), shape: [1, 1, 10, 1] }, 50)],
    ['blocks of other heads', masks.blockSparse({ data: new Uint8Array(300), shape: [1, 3, 10, 10] }, 50)],
    ['too many dense keys', masks.dense({ data: new Uint8Array(101), dtype: 'bool', shape: [101] })],
    ['too few dense queries', masks.dense({ data: new Uint8Array(9900), dtype: 'bool', shape: [99, 100] })],
  ])('that do not fit a call name the argument: %s', (_, mask) => {
    const extents = [0, 10].map((offset) => ({ queries: 100, keys: 100, offset }));
    for (const part of [mask, mask.not(), masks.causal().or(mask)]) {
      const wanted = (argument: string) => expect.objectContaining({ code: 'SHAPE_MISMATCH', argument });
      expect(() => blockMap(part, extents, 2)).toThrow(wanted('options.mask'));
      const shape = { batch: 2, heads: 2, queries: 100, keys: 100, queryOffset: [0, 10] };
      expect(() => part.density(shape)).toThrow(wanted('shape'));
    }
  });
});
