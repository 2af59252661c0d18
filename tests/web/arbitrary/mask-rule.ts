import { type Mask, masks } from 'attention-wasm';
import fc from 'fast-check';
import * as oracle from '../oracle/masks.ts';
import type { Plain, Random } from '../random.ts';

/** A rule of `masks` by name with two small numbers for its builder to use, or rules put together. */
export type MaskTree =
  | { rule: keyof typeof builders; a: number; b: number }
  | { not: MaskTree }
  | { and: [MaskTree, MaskTree] }
  | { or: [MaskTree, MaskTree] };

/** What a rule has to fit. */
export interface Letters {
  B: number;
  H: number;
  Sq: number;
  Skv: number;
  /** The position of query 0 in each batch. */
  offsets: readonly number[];
  random: Random;
}

/** The package's mask and what it means. */
export interface Meant {
  mask: Mask;
  rule: oracle.Rule;
}

type Builder = (a: number, b: number, letters: Letters) => Meant;

/** Positions below this cover every key and query. */
const reach = ({ Sq, Skv, offsets }: Letters): number => Math.max(1, Skv, ...offsets.map((offset) => offset + Sq));
const perBatch = ({ B }: Letters, value: (b: number) => number): number[] =>
  Array.from({ length: B }, (_, b) => value(b));
const bools = (random: Random, shape: number[], keep: number): Plain => ({
  data: Uint8Array.from({ length: shape.reduce((x, y) => x * y, 1) }, () => Number(random.chance(keep))),
  shape,
  dtype: 'bool',
});
const blockSizes = [1, 2, 5, 16, 64, 70];
const blockSizeOf = (a: number): number => blockSizes[a % blockSizes.length] as number;
const bigBirdBlocks = (a: number, b: number) => ({
  blockSize: blockSizeOf(a),
  window: 1 + 2 * (b % 3),
  globalBlocks: a % 3,
});

export const builders = {
  causal: () => ({ mask: masks.causal(), rule: oracle.causal }),
  slidingWindow: (a, b) => ({ mask: masks.slidingWindow(a, b), rule: oracle.slidingWindow(a, b) }),
  keyLengths: (a, b, letters) => {
    const lengths = perBatch(letters, (n) => (a + n * b) % (letters.Skv + 1));
    return { mask: masks.keyPadding(lengths), rule: oracle.keyLengths(lengths) };
  },
  keyMask: (a, _, { B, Skv, random }) => {
    const mask = bools(random, [B, Skv], a % 2 ? 0.5 : 0.9);
    return { mask: masks.keyPadding(mask), rule: oracle.keyMask(mask) };
  },
  prefixLM: (a, b, letters) => {
    const prefix = b % 2 ? a : perBatch(letters, (n) => (a + n * b) % (letters.Skv + 2));
    return { mask: masks.prefixLM(prefix), rule: oracle.prefixLM(prefix) };
  },
  documents: (a, b, letters) => {
    const list = (n: number) =>
      Array.from({ length: reach(letters) + (b % 3) }, (_, p) => Math.floor((p + n) / (a + 1)) % 5);
    const ids = b % 2 ? list(0) : perBatch(letters, (n) => n).map(list);
    return { mask: masks.documents(ids), rule: oracle.documents(ids) };
  },
  dilated: (a, b) => {
    const step = a % 4 === 3 ? 9 * b + 1 : b + 1;
    return { mask: masks.dilated(a, step), rule: oracle.dilated(a, step) };
  },
  globalTokens: (a, b, letters) => {
    const indices = Array.from({ length: b % 4 }, (_, n) => (a + n * b) % reach(letters));
    return { mask: masks.globalTokens(indices), rule: oracle.globalTokens(indices) };
  },
  bigBird: (a, b) => {
    const blocks = bigBirdBlocks(a, b);
    return { mask: masks.bigBird({ ...blocks, randomBlocks: 0 }), rule: oracle.bigBirdFixed(blocks) };
  },
  // Which blocks are random is the package's own affair: the call is held against its word about single pairs.
  bigBirdRandom: (a, b, letters) => {
    const mask = masks.bigBird({ ...bigBirdBlocks(a, b), randomBlocks: 1 + (a % 2), seed: b });
    const pairs = mask.toDense({ queries: reach(letters), keys: letters.Skv }).data;
    return { mask, rule: ({ p, j }) => p >= 0 && pairs[p * letters.Skv + j] === 1 };
  },
  blockSparse: (a, b, letters) => {
    const { B, H, Skv, random } = letters;
    const blockSize = blockSizeOf(a);
    const count = (n: number) => Math.max(1, Math.ceil(n / blockSize)) + (b % 2);
    const blocks = bools(random, [b % 3 ? B : 1, b % 5 ? H : 1, count(reach(letters)), count(Skv)], 0.5);
    return { mask: masks.blockSparse(blocks, blockSize), rule: oracle.blockSparse(blocks, blockSize) };
  },
  dense: (a, b, { B, H, Sq, Skv, random }) => {
    const last = b % 4 === 1 ? 1 : b % 4 === 2 && Skv > 2 ? Skv - 1 : Skv;
    const full = [a % 2 ? B : 1, a % 3 ? H : 1, a % 5 ? Sq : 1, last];
    const mask = bools(random, full.slice(b % 3), 0.6);
    return { mask: masks.dense(mask), rule: oracle.dense(mask) };
  },
  fromFunction: (a, b) => {
    const options = { perBatch: b % 2 === 0, perHead: b % 3 === 0 };
    const asked = (batch: number, head: number, query: number, key: number) =>
      Math.abs(batch * 5 + head * 3 + query * 7 + key * 11 + a) % 13 > b % 7;
    return { mask: masks.fromFunction(asked, options), rule: oracle.fromFunction(asked, options) };
  },
} satisfies Record<string, Builder>;

export function meaningOf(tree: MaskTree, letters: Letters): Meant {
  if ('rule' in tree) return (builders[tree.rule] as Builder)(tree.a, tree.b, letters);
  if ('not' in tree) {
    const { mask, rule } = meaningOf(tree.not, letters);
    return { mask: mask.not(), rule: oracle.not(rule) };
  }
  const [one, other] = ('and' in tree ? tree.and : tree.or).map((branch) => meaningOf(branch, letters)) as [
    Meant,
    Meant,
  ];
  return 'and' in tree
    ? { mask: one.mask.and(other.mask), rule: oracle.and(one.rule, other.rule) }
    : { mask: one.mask.or(other.mask), rule: oracle.or(one.rule, other.rule) };
}

export const maskTree: fc.Arbitrary<MaskTree> = fc.letrec<{ tree: MaskTree }>((tie) => {
  const branches = fc.tuple(tie('tree'), tie('tree'));
  return {
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      {
        weight: 5,
        arbitrary: fc.record({
          rule: fc.constantFrom(...(Object.keys(builders) as (keyof typeof builders)[])),
          a: fc.nat(40),
          b: fc.nat(12),
        }),
      },
      { weight: 1, arbitrary: fc.record({ not: tie('tree') }) },
      { weight: 2, arbitrary: fc.record({ and: branches }) },
      { weight: 2, arbitrary: fc.record({ or: branches }) },
    ),
  };
}).tree;
