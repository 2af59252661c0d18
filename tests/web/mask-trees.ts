import { type Mask, masks } from 'attention-wasm';
import * as oracle from './oracle/masks.ts';
import { sizeOf } from './oracle/values.ts';
import type { Plain, Random } from './random.ts';

/** A mask of the package, what it should mean, and how to build it again from a failure's message. */
export interface Told {
  mask: Mask;
  rule: oracle.Rule;
  text: string;
}

export type WholeShape = Required<Omit<oracle.Shape, 'queryOffset'>> & {
  queryOffset: number | readonly number[];
};

// Blocks of the mask plan are 64 × 64: one short of it, on it, past it, and of two.
const lengths = [1, 2, 7, 31, 63, 64, 65, 100, 127, 128, 129, 130];

export function randomShape(random: Random, most = 130): WholeShape {
  const length = () => random.pick(lengths.filter((n) => n <= most));
  const batch = random.integer(1, 3);
  const [queries, keys] = [length(), length()];
  const offset = () => random.integer(-5, random.pick([0, 5, keys, 2 * keys]));
  return {
    batch,
    heads: random.integer(1, 3),
    queries,
    keys,
    queryOffset: random.chance(0.3) ? 0 : random.chance(0.5) ? offset() : Array.from({ length: batch }, offset),
  };
}

/** A rule or a tree of rules over the shape. */
export function randomTree(random: Random, shape: WholeShape, depth = 3): Told {
  if (depth === 0 || random.chance(0.4)) return random.pick(leaves)(random, shape);
  const one = randomTree(random, shape, depth - 1);
  if (random.chance(0.25)) return { mask: one.mask.not(), rule: oracle.not(one.rule), text: `not(${one.text})` };
  const other = randomTree(random, shape, depth - 1);
  const text = `(${one.text}, ${other.text})`;
  return random.chance(0.5)
    ? { mask: one.mask.and(other.mask), rule: oracle.and(one.rule, other.rule), text: `and${text}` }
    : { mask: one.mask.or(other.mask), rule: oracle.or(one.rule, other.rule), text: `or${text}` };
}

type Leaf = (random: Random, shape: WholeShape) => Told;

const told = (text: string, mask: Mask, rule: oracle.Rule): Told => ({ text, mask, rule });
const perBatch = ({ batch }: WholeShape, value: () => number): number[] => Array.from({ length: batch }, value);
/** Positions 0 .. this − 1 cover every query and key. */
const reach = (shape: WholeShape): number =>
  Math.max(1, shape.keys, ...Array.from({ length: shape.batch }, (_, b) => oracle.offsetAt(shape, b) + shape.queries));

export const bits = (random: Random, shape: number[], keep: number): Plain => ({
  data: Uint8Array.from({ length: sizeOf(shape) }, () => (random.chance(keep) ? random.integer(1, 255) : 0)),
  shape,
  dtype: 'bool',
});

export const builders: Record<string, Leaf> = {
  causal: () => told('causal()', masks.causal(), oracle.causal),
  slidingWindow: (random, { keys }) => {
    const [left, right] = [random.integer(-1, keys), random.integer(-1, 20)];
    return told(
      `slidingWindow(${left}, ${right})`,
      masks.slidingWindow(left, right),
      oracle.slidingWindow(left, right),
    );
  },
  keyLengths: (random, shape) => {
    const lengths = perBatch(shape, () => random.integer(0, shape.keys));
    const given = random.chance(0.3) ? BigInt64Array.from(lengths.map(BigInt)) : lengths;
    return told(`keyPadding([${lengths}])`, masks.keyPadding(given), oracle.keyLengths(lengths));
  },
  keyMask: (random, { batch, keys }) => {
    const mask = bits(random, [batch, keys], 0.7);
    return told(`keyPadding(bool[${batch},${keys}])`, masks.keyPadding(mask), oracle.keyMask(mask));
  },
  prefixLM: (random, shape) => {
    const prefix = random.chance(0.5)
      ? random.integer(0, shape.keys)
      : perBatch(shape, () => random.integer(0, shape.keys));
    return told(`prefixLM(${JSON.stringify(prefix)})`, masks.prefixLM(prefix), oracle.prefixLM(prefix));
  },
  documents: (random, shape) => {
    const list = () => {
      let id = 0;
      const longer = reach(shape) + random.integer(0, 3);
      return Array.from({ length: longer }, () => (random.chance(0.05) ? ++id : random.chance(0.02) ? 0 : id));
    };
    const ids = random.chance(0.5) ? list() : Array.from({ length: shape.batch }, list);
    return told(`documents(${JSON.stringify(ids)})`, masks.documents(ids), oracle.documents(ids));
  },
  dilated: (random) => {
    const [window, dilation] = [random.integer(0, 20), random.integer(1, 7)];
    return told(`dilated(${window}, ${dilation})`, masks.dilated(window, dilation), oracle.dilated(window, dilation));
  },
  globalTokens: (random, shape) => {
    const indices = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, reach(shape)));
    return told(`globalTokens([${indices}])`, masks.globalTokens(indices), oracle.globalTokens(indices));
  },
  bigBird: (random) => {
    const sizes = {
      blockSize: random.pick([1, 5, 16, 64, 70]),
      window: random.pick([1, 3, 5]),
      globalBlocks: random.integer(0, 2),
      randomBlocks: 0,
    };
    return told(`bigBird(${JSON.stringify(sizes)})`, masks.bigBird(sizes), oracle.bigBirdFixed(sizes));
  },
  blockSparse: (random, shape) => {
    const blockSize = random.pick([1, 3, 16, 50, 64, 100]);
    const larger = random.integer(0, 1);
    const table = [
      random.pick([1, shape.batch]),
      random.pick([1, shape.heads]),
      Math.ceil(reach(shape) / blockSize) + larger,
      Math.ceil(shape.keys / blockSize) + larger,
    ];
    const blocks = bits(random, table, 0.5);
    return told(
      `blockSparse(bool[${table}], ${blockSize})`,
      masks.blockSparse(blocks, blockSize),
      oracle.blockSparse(blocks, blockSize),
    );
  },
  dense: (random, { batch, heads, queries, keys }) => {
    const full = [batch, heads, queries, keys].map((n) => (random.chance(0.3) ? 1 : n));
    const mask = bits(random, full.slice(random.integer(0, 3)), random.pick([0.1, 0.6, 0.9]));
    return told(`dense(bool[${mask.shape}])`, masks.dense(mask), oracle.dense(mask));
  },
  fromFunction: (random) => {
    const options = { perBatch: random.chance(0.5), perHead: random.chance(0.5) };
    const some = random.integer(1, 4);
    const rule = (b: number, h: number, p: number, j: number) =>
      (((b * 5 + h * 3 + p * 7 + j * 11) % 13) + 13) % 13 > some;
    return told(
      `fromFunction(… > ${some}, ${JSON.stringify(options)})`,
      masks.fromFunction(rule, options),
      oracle.fromFunction(rule, options),
    );
  },
};
const leaves = Object.values(builders);
