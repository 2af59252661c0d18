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

/** What a mask has to fit: batch entries may differ, as packed sequences do. */
export interface Fit {
  heads: number;
  extents: readonly oracle.Extent[];
}

export const fitOf = (shape: oracle.Shape): Fit => ({ heads: shape.heads ?? 1, extents: oracle.extentsOf(shape) });

export const bits = (random: Random, shape: number[], keep: number): Plain & { data: Uint8Array } => ({
  data: Uint8Array.from({ length: sizeOf(shape) }, () => (random.chance(keep) ? random.integer(1, 255) : 0)),
  shape,
  dtype: 'bool',
});

const told = (text: string, mask: Mask, rule: oracle.Rule): Told => ({ text, mask, rule });
const most = ({ extents }: Fit, of: (extent: oracle.Extent) => number): number => Math.max(0, ...extents.map(of));
const keysOf = (fit: Fit): number => most(fit, ({ keys }) => keys);
/** Positions 0 .. this − 1 have queries. */
const past = ({ queries, offset }: oracle.Extent): number => (queries > 0 ? Math.max(0, queries + offset) : 0);
/** Positions 0 .. this − 1 cover every query and key. */
const reach = (extent: oracle.Extent): number => Math.max(extent.keys, past(extent));
const perBatch = <T>({ extents }: Fit, value: (extent: oracle.Extent) => T): T[] => extents.map((one) => value(one));
const list = (random: Random, length: number, low: number, high: number): number[] =>
  Array.from({ length }, () => random.integer(low, high));

/** Every rule of the package with random arguments that fit, some of them longer than they need to be. */
export const builders: Record<string, (random: Random, fit: Fit) => Told> = {
  causal: () => told('causal()', masks.causal(), oracle.causal),
  slidingWindow: (random, fit) => {
    const edge = () => random.integer(-1, random.pick([20, keysOf(fit)]));
    const [left, right] = [edge(), edge()];
    return told(
      `slidingWindow(${left}, ${right})`,
      masks.slidingWindow(left, right),
      oracle.slidingWindow(left, right),
    );
  },
  keyLengths: (random, fit) => {
    const lengths = perBatch(fit, ({ keys }) => random.integer(0, keys + 2));
    const given = random.chance(0.3) ? BigInt64Array.from(lengths.map(BigInt)) : lengths;
    return told(`keyPadding([${lengths}])`, masks.keyPadding(given), oracle.keyLengths(lengths));
  },
  keyMask: (random, fit) => {
    const width = keysOf(fit) + random.integer(0, 5);
    const mask = bits(random, [fit.extents.length, width], random.pick([0.5, 0.9]));
    const padded = random.chance(0.5) ? random.integer(0, width) : 0;
    for (const b of fit.extents.keys()) mask.data.fill(0, b * width, b * width + padded);
    return told(`keyPadding(bool[${mask.shape}])`, masks.keyPadding(mask), oracle.keyMask(mask));
  },
  prefixLM: (random, fit) => {
    const prefix = random.chance(0.5)
      ? random.integer(0, keysOf(fit) + 2)
      : perBatch(fit, ({ keys }) => random.integer(0, keys + 2));
    return told(`prefixLM(${JSON.stringify(prefix)})`, masks.prefixLM(prefix), oracle.prefixLM(prefix));
  },
  documents: (random, fit) => {
    const longer = random.integer(0, 3);
    const ids = random.chance(0.5)
      ? documentIds(random, most(fit, reach) + longer)
      : perBatch(fit, (extent) => documentIds(random, reach(extent) + longer));
    return told(`documents(${JSON.stringify(ids)})`, masks.documents(ids), oracle.documents(ids));
  },
  dilated: (random) => {
    const [window, dilation] = [random.pick([0, 1, random.integer(2, 40)]), random.pick([1, 2, 3, 5, 7, 64, 200])];
    return told(`dilated(${window}, ${dilation})`, masks.dilated(window, dilation), oracle.dilated(window, dilation));
  },
  globalTokens: (random, fit) => {
    const inRow = random.chance(0.2); // long enough for a whole block
    const indices = inRow
      ? Array.from({ length: 70 }, (_, n) => 60 + n)
      : list(random, random.integer(0, 4), 0, most(fit, reach));
    return told(`globalTokens([${indices}])`, masks.globalTokens(indices), oracle.globalTokens(indices));
  },
  bigBird: (random) => {
    const sizes = { ...bigBirdSizes(random), randomBlocks: 0 };
    return told(`bigBird(${JSON.stringify(sizes)})`, masks.bigBird(sizes), oracle.bigBirdFixed(sizes));
  },
  // Which of a call's key blocks are random is the package's own affair: it is held against its word about single pairs.
  bigBirdRandom: (random, fit) => {
    const sizes = { ...bigBirdSizes(random), randomBlocks: random.integer(1, 2), seed: random.integer(0, 12) };
    const mask = masks.bigBird(sizes);
    const written = new Map<number, Uint8Array>();
    const pairs = (keys: number): Uint8Array => {
      const known = written.get(keys) ?? mask.toDense({ queries: most(fit, reach), keys }).data;
      written.set(keys, known);
      return known;
    };
    return told(
      `bigBird(${JSON.stringify(sizes)})`,
      mask,
      ({ p, j, keys }) => p >= 0 && pairs(keys)[p * keys + j] === 1,
    );
  },
  blockSparse: (random, fit) => {
    const blockSize = random.pick([1, 3, 16, 50, 64, 100]);
    const count = (length: number) => Math.ceil(length / blockSize) + random.integer(0, 1);
    const table = [
      random.pick([1, fit.extents.length]),
      random.pick([1, fit.heads]),
      count(most(fit, past)),
      count(keysOf(fit)),
    ];
    const blocks = bits(random, table, 0.5);
    return told(
      `blockSparse(bool[${table}], ${blockSize})`,
      masks.blockSparse(blocks, blockSize),
      oracle.blockSparse(blocks, blockSize),
    );
  },
  dense: (random, fit) => {
    const keys = keysOf(fit);
    const full = [fit.extents.length, fit.heads, most(fit, ({ queries }) => queries), keys];
    const axes = full.map((n) => (random.chance(0.3) ? 1 : n));
    if (random.chance(0.3)) axes[3] = random.integer(0, keys);
    const mask = bits(random, axes.slice(random.integer(0, 3)), random.pick([0.1, 0.6, 0.9]));
    return told(`dense(bool[${mask.shape}])`, masks.dense(mask), oracle.dense(mask));
  },
  fromFunction: (random) => {
    const options = { perBatch: random.chance(0.5), perHead: random.chance(0.5) };
    const some = random.integer(1, 6);
    const rule = (b: number, h: number, p: number, j: number) =>
      (((b * 5 + h * 3 + p * 7 + j * 11) % 13) + 13) % 13 > some;
    return told(
      `fromFunction(… > ${some}, ${JSON.stringify(options)})`,
      masks.fromFunction(rule, options),
      oracle.fromFunction(rule, options),
    );
  },
};

const bigBirdSizes = (random: Random) => ({
  blockSize: random.pick([1, 2, 5, 16, 64, 70]),
  window: random.pick([1, 3, 5]),
  globalBlocks: random.integer(0, 2),
});

function documentIds(random: Random, length: number): number[] {
  const any = list(random, length, -2, 5);
  const kind = random.pick(['any', 'sorted', 'of whole blocks', 'coming back']);
  if (kind === 'sorted') return any.sort((a, b) => a - b);
  if (kind === 'of whole blocks') return any.map((_, p) => any[p >> 6] as number);
  if (kind === 'any') return any;
  let id = 0;
  return any.map(() => (random.chance(0.05) ? ++id : random.chance(0.02) ? 0 : id));
}
