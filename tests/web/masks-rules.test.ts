import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { bits, builders, fitOf, type Told } from './mask-builders.ts';
import { randomShape, randomTree, type WholeShape } from './mask-trees.ts';
import * as oracle from './oracle/masks.ts';
import { Random, seed } from './random.ts';

const random = new Random(seed);
const rows = (data: Uint8Array, keys: number): string[] =>
  Array.from({ length: data.length / keys }, (_, i) => data.subarray(i * keys, (i + 1) * keys).join(''));

function expectDense({ mask, rule, text }: Told, shape: WholeShape): void {
  const [got, want] = [mask.toDense(shape), oracle.toDense(rule, shape)];
  expect([got.shape, got.dims, got.dtype]).toEqual([want.shape, want.shape, 'bool']);
  const wrong = want.data.findIndex((bit, n) => got.data[n] !== bit);
  if (got.data.length !== want.data.length || wrong >= 0)
    throw new Error(`${text} over ${JSON.stringify(shape)}: pair ${wrong} is ${got.data[wrong]}`);
  const share = want.data.reduce((sum, bit) => sum + bit, 0) / want.data.length;
  if (!(Math.abs(mask.density(shape) - share) <= 1e-15))
    throw new Error(`${text} over ${JSON.stringify(shape)}: density ${mask.density(shape)}, wanted ${share}`);
}

describe(`mask rules, seed ${seed}`, () => {
  test.each(Object.keys(builders))('%s says what its line of the contract says', (name) => {
    for (let n = 0; n < 25; n++) {
      const shape = randomShape(random);
      expectDense((builders[name] as (typeof builders)[string])(random, fitOf(shape)), shape);
    }
  });
  test('trees of and, or, not', () => {
    for (let n = 0; n < 60; n++) {
      const shape = randomShape(random);
      expectDense(randomTree(random, fitOf(shape)), shape);
    }
  });
  test('batch and heads are 1 and the offset is 0 by default', () => {
    const { shape, data } = masks.causal().toDense({ queries: 3, keys: 4 });
    expect([shape, rows(data, 4)]).toEqual([
      [1, 1, 3, 4],
      ['1000', '1100', '1110'],
    ]);
  });
  test.each([
    { queries: 0, keys: 5 },
    { queries: 5, keys: 0 },
    { batch: 0, queries: 2, keys: 2 },
  ])('nothing to ask: %o', (shape) => {
    expect(masks.causal().toDense(shape).data.length).toBe(0);
    expect(masks.causal().density(shape)).toBe(0);
  });
  test('whole blocks on the diagonal, each row beginning where the one before ends', () => {
    const shape: WholeShape = { batch: 1, heads: 1, queries: 256, keys: 256, queryOffset: 0 };
    const ids = Array.from({ length: 256 }, (_, p) => p >> 6);
    expectDense({ mask: masks.documents(ids), rule: oracle.documents(ids), text: 'documents' }, shape);
    const data = Uint8Array.from({ length: 16 }, (_, n) => (n % 5 === 0 ? 1 : 0));
    const table = { data, shape: [1, 1, 4, 4], dtype: 'bool' } as const;
    const rule = oracle.blockSparse(table, 64);
    expectDense({ mask: masks.blockSparse(table, 64), rule, text: 'blockSparse' }, shape);
  });
  test('a short last axis of dense ends in masked', () => {
    const mask = { data: Uint8Array.of(1, 1, 0), shape: [3], dtype: 'bool' } as const;
    expect(rows(masks.dense(mask).toDense({ queries: 2, keys: 5 }).data, 5)).toEqual(['11000', '11000']);
  });
  test('dense goes by rows, the others by positions', () => {
    const mask = { data: Uint8Array.of(1, 0, 0, 0, 1, 0), shape: [2, 3], dtype: 'bool' } as const;
    const shape = { queries: 2, keys: 3, queryOffset: 1 };
    expect(rows(masks.dense(mask).toDense(shape).data, 3)).toEqual(['100', '010']);
    expect(rows(masks.causal().toDense(shape).data, 3)).toEqual(['110', '111']);
  });
  test('every builder of the contract is here, and needs no engine', () => {
    const forms: Record<string, string> = { keyLengths: 'keyPadding', keyMask: 'keyPadding', bigBirdRandom: 'bigBird' };
    const built = new Set(Object.keys(builders).map((name) => forms[name] ?? name));
    expect(Object.keys(masks).sort()).toEqual([...built].sort());
  });

  test('one mask serves prefill and decode', () => {
    const N = 70;
    const whole = { batch: 2, heads: 2, queries: N, keys: N, queryOffset: 0 };
    for (const name of Object.keys(builders).filter((name) => name !== 'dense')) {
      const { mask, text } = (builders[name] as (typeof builders)[string])(random, fitOf(whole));
      const prefill = mask.toDense(whole).data;
      for (const t of [0, 1, 37, 63, 64, 69]) {
        const step = mask.toDense({ ...whole, queries: 1, queryOffset: [t, t] }).data;
        for (const bh of [0, 1, 2, 3])
          expect(step.subarray(bh * N, (bh + 1) * N), `${text} at ${t}`).toEqual(
            prefill.subarray((bh * N + t) * N, (bh * N + t + 1) * N),
          );
      }
    }
  });

  test('a mask keeps what it was built from', () => {
    const shape = { batch: 2, heads: 1, queries: 4, keys: 4 };
    const [lengths, prefixes, ids, other, indices] = [[1, 2], [1, 2], [0, 0, 1, 1], Int32Array.of(0, 1, 1, 1), [2]];
    const [keys, blocks, table] = [
      bits(random, [2, 4], 0.5),
      bits(random, [1, 1, 2, 2], 0.5),
      bits(random, [4, 4], 0.5),
    ];
    const options = { blockSize: 2, window: 1, globalBlocks: 0, randomBlocks: 0 };
    const asked = { perBatch: false, perHead: false };
    const built = {
      keyLengths: masks.keyPadding(lengths),
      keyMask: masks.keyPadding(keys),
      prefixLM: masks.prefixLM(prefixes),
      documents: masks.documents([ids, other]),
      globalTokens: masks.globalTokens(indices),
      blockSparse: masks.blockSparse(blocks, 2),
      dense: masks.dense(table),
      bigBird: masks.bigBird(options),
      fromFunction: masks.fromFunction((b) => b === 0, asked),
      oneDocumentList: masks.documents(ids),
    };
    const before = Object.values(built).map((mask) => mask.toDense(shape).data);
    const unseen = { ...shape, queryOffset: [0, 0] };
    for (const list of [lengths, prefixes, ids, other, indices]) list.fill(3);
    ids.push(1);
    for (const { data } of [keys, blocks, table])
      (data as Uint8Array).forEach((bit, n) => {
        (data as Uint8Array)[n] = bit ? 0 : 1;
      });
    for (const axes of [keys.shape, blocks.shape, table.shape]) axes.fill(1);
    Object.assign(options, { blockSize: 1, window: 3 });
    Object.assign(asked, { perBatch: true });
    Object.entries(built).forEach(([name, mask], n) => {
      expect(mask.toDense(unseen).data, name).toEqual(before[n]);
    });
    const first = built.dense.toDense(shape);
    first.data.fill(7);
    first.shape.fill(9);
    expect(built.dense.toDense(shape).data).toEqual(before[6]);
    for (const mask of Object.values(built)) expect(Object.isFrozen(mask)).toBe(true);
  });

  describe('bigBird', () => {
    const sizes = { blockSize: 16, window: 3, globalBlocks: 1, randomBlocks: 2 };
    const shape = { batch: 2, heads: 3, queries: 150, keys: 150 };
    /** The block table of one batch and head; throws when a block is not whole. */
    const blocksOf = (data: Uint8Array, at: number, blockSize: number, { queries, keys } = shape): string[] => {
      const [R, C] = [Math.ceil(queries / blockSize), Math.ceil(keys / blockSize)];
      const table = Array.from({ length: R }, () => Array<number>(C).fill(-1));
      for (let i = 0; i < queries; i++)
        for (let j = 0; j < keys; j++) {
          const row = table[Math.floor(i / blockSize)] as number[];
          const [c, bit] = [Math.floor(j / blockSize), data[(at * queries + i) * keys + j] as number];
          if (row[c] !== -1 && row[c] !== bit) throw new Error(`block of (${i},${j}) is not whole`);
          row[c] = bit;
        }
      return table.map((row) => row.join(''));
    };
    test.each([0, 1, 2, 3, 50])('%i random blocks beside the fixed ones in every row', (randomBlocks) => {
      const mask = masks.bigBird({ ...sizes, randomBlocks, seed: 5 });
      const got = blocksOf(mask.toDense(shape).data, 0, 16);
      const fixed = blocksOf(oracle.toDense(oracle.bigBirdFixed(sizes), shape).data, 0, 16);
      const count = (row: string) => row.split('1').length - 1;
      got.forEach((row, r) => {
        const least = fixed[r] as string;
        for (let c = 0; c < row.length; c++) if (least[c] === '1') expect(row[c], `block (${r},${c})`).toBe('1');
        expect(count(row) - count(least), `row ${r}`).toBe(Math.min(randomBlocks, row.length - count(least)));
      });
    });
    test('the same for every batch and head', () => {
      const { data } = masks.bigBird(sizes).toDense(shape);
      for (let at = 1; at < 6; at++) expect(blocksOf(data, at, 16)).toEqual(blocksOf(data, 0, 16));
    });
    test('the same for a seed, another for another; 0 by default', () => {
      const of = (seed?: number) =>
        blocksOf(masks.bigBird({ ...sizes, ...(seed !== undefined && { seed }) }).toDense(shape).data, 0, 16).join();
      expect(of(7)).toBe(of(7));
      expect(of()).toBe(of(0));
      expect(new Set([0, 1, 2, 3].map(of)).size).toBeGreaterThan(1);
    });
    test('the random blocks of rows differ, and reach both ends', () => {
      const wide = { batch: 1, heads: 1, queries: 400, keys: 400 };
      const one = { blockSize: 4, window: 1, globalBlocks: 0, randomBlocks: 3, seed: 1 };
      const table = blocksOf(masks.bigBird(one).toDense(wide).data, 0, 4, wide);
      const extras = table.map((row, r) => [...row].flatMap((bit, c) => (bit === '1' && c !== r ? [c] : [])));
      expect(new Set(extras.map(String)).size).toBeGreaterThan(90);
      // 300 draws from 100 blocks: each third holds 100 ± 3·√(300·2/9) of them.
      for (const third of [0, 1, 2]) {
        const inside = extras.flat().filter((c) => Math.floor((c * 3) / 100) === third).length;
        expect(Math.abs(inside - 100), `third ${third}: ${inside}`).toBeLessThan(35);
      }
    });
    test('positions before the first are masked', () => {
      const { data } = masks.bigBird(sizes).toDense({ queries: 3, keys: 20, queryOffset: -2 });
      expect(rows(data, 20).map((row) => row.includes('1'))).toEqual([false, false, true]);
    });
  });
});
