import type { Attention, AttentionErrorCode, Mask, Masks } from 'attention-wasm';
import { int64 } from './errors-functions.ts';
import { any, bool, dtype, f32, invalid, sdpa, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;

const built = (
  what: string,
  build: (masks: Masks) => unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => [`masks.${what}`, (e) => build(e.masks), code, argument, ...says];
const bird = { blockSize: 16, window: 3, globalBlocks: 1, randomBlocks: 1 };
const builders: Wrong[] = [
  built('slidingWindow(−2, 0)', (m) => m.slidingWindow(-2, 0), invalid, 'left', -2),
  built('slidingWindow(0, 1.5)', (m) => m.slidingWindow(0, 1.5), invalid, 'right', '1.5'),
  built('slidingWindow(NaN, 0)', (m) => m.slidingWindow(NaN, 0), invalid, 'left', 'NaN'),
  built('slidingWindow(3)', (m) => m.slidingWindow(3, any(undefined)), invalid, 'right', 'undefined'),
  built('keyPadding()', (m) => m.keyPadding(any(undefined)), invalid, 'lengths', 'undefined'),
  built('keyPadding(3)', (m) => m.keyPadding(any(3)), invalid, 'lengths', 3),
  built('keyPadding([-1])', (m) => m.keyPadding([2, -1]), invalid, 'lengths', -1),
  built('keyPadding([0.5])', (m) => m.keyPadding([0.5]), invalid, 'lengths', '0.5'),
  built('keyPadding(floats)', (m) => m.keyPadding(f32(2, 6)), dtype, 'lengths', 'float32', 'bool'),
  built('keyPadding(rank 3)', (m) => m.keyPadding(bool(2, 1, 6)), shape, 'lengths', '[2,1,6]'),
  built('prefixLM()', (m) => m.prefixLM(any(undefined)), invalid, 'prefix', 'undefined'),
  built('prefixLM(−1)', (m) => m.prefixLM(-1), invalid, 'prefix', -1),
  built('prefixLM(NaN)', (m) => m.prefixLM(NaN), invalid, 'prefix', 'NaN'),
  built('prefixLM([1, −2])', (m) => m.prefixLM([1, -2]), invalid, 'prefix', -2),
  built('documents()', (m) => m.documents(any(undefined)), invalid, 'ids', 'undefined'),
  built('documents(7)', (m) => m.documents(any(7)), invalid, 'ids', 7),
  built('documents([0, 0.5])', (m) => m.documents([0, 0.5]), invalid, /^ids/, '0.5'),
  built("documents([[0], ['a']])", (m) => m.documents(any([[0], ['a']])), invalid, /^ids/, 'a'),
  built('dilated(−1, 2)', (m) => m.dilated(-1, 2), invalid, 'window', -1),
  built('dilated(1.5, 2)', (m) => m.dilated(1.5, 2), invalid, 'window', '1.5'),
  built('dilated(2, 0)', (m) => m.dilated(2, 0), invalid, 'dilation', 0),
  built('dilated(2)', (m) => m.dilated(2, any(undefined)), invalid, 'dilation', 'undefined'),
  built('globalTokens()', (m) => m.globalTokens(any(undefined)), invalid, 'indices', 'undefined'),
  built('globalTokens(3)', (m) => m.globalTokens(any(3)), invalid, 'indices', 3),
  built('globalTokens([0.5])', (m) => m.globalTokens([0.5]), invalid, 'indices', '0.5'),
  built('bigBird()', (m) => m.bigBird(any(undefined)), invalid, /^options/, 'undefined'),
  built('bigBird: window 2', (m) => m.bigBird({ ...bird, window: 2 }), invalid, 'options.window', 2, 'odd'),
  built('bigBird: window −1', (m) => m.bigBird({ ...bird, window: -1 }), invalid, 'options.window', -1),
  built('bigBird: blockSize 0', (m) => m.bigBird({ ...bird, blockSize: 0 }), invalid, 'options.blockSize', 0),
  built(
    'bigBird: no globals',
    (m) => m.bigBird(any({ ...bird, globalBlocks: undefined })),
    invalid,
    'options.globalBlocks',
    'undefined',
  ),
  built('bigBird: −1 random', (m) => m.bigBird({ ...bird, randomBlocks: -1 }), invalid, 'options.randomBlocks', -1),
  built('bigBird: seed 0.5', (m) => m.bigBird({ ...bird, seed: 0.5 }), invalid, 'options.seed', '0.5'),
  built('bigBird: numRandom', (m) => m.bigBird(any({ ...bird, numRandom: 3 })), invalid, 'options.numRandom'),
  built('blockSparse()', (m) => m.blockSparse(any(undefined), 4), invalid, 'blocks', 'undefined'),
  built('blockSparse(rank 2)', (m) => m.blockSparse(bool(2, 2), 4), shape, 'blocks', '[2,2]'),
  built('blockSparse(…, 0)', (m) => m.blockSparse(bool(1, 1, 2, 2), 0), invalid, 'blockSize', 0),
  built('blockSparse(…, 1.5)', (m) => m.blockSparse(bool(1, 1, 2, 2), 1.5), invalid, 'blockSize', '1.5'),
  built(
    'blockSparse(too few)',
    (m) => m.blockSparse({ data: new Uint8Array(3), shape: [1, 1, 2, 2], dtype: 'bool' }, 4),
    shape,
    'blocks',
    3,
    4,
  ),
  built('dense()', (m) => m.dense(any(undefined)), invalid, 'mask', 'undefined'),
  built('dense(floats)', (m) => m.dense(f32(4, 6)), dtype, 'mask', 'float32', 'options.mask'),
  built('dense(int64)', (m) => m.dense(int64(4, 6)), dtype, 'mask', 'int64', 'bool'),
  built('dense(rank 5)', (m) => m.dense(bool(1, 1, 1, 4, 6)), shape, 'mask', '[1,1,1,4,6]'),
  built('fromFunction()', (m) => m.fromFunction(any(undefined)), invalid, 'rule', 'undefined'),
  built('fromFunction(true)', (m) => m.fromFunction(any(true)), invalid, 'rule', 'true'),
  built(
    'fromFunction: perBatch 0',
    (m) => m.fromFunction(() => true, any({ perBatch: 0 })),
    invalid,
    'options.perBatch',
    0,
  ),
  built(
    'fromFunction: perhead',
    (m) => m.fromFunction(() => true, any({ perhead: true })),
    invalid,
    'options.perhead',
    'perHead',
  ),
  built('and()', (m) => m.causal().and(any(undefined)), invalid, 'other', 'undefined'),
  built('or(a tensor)', (m) => m.causal().or(any(bool(4, 6))), invalid, 'other'),
];

const asked = (what: string, shapeOf: unknown, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong[] =>
  (['toDense', 'density'] as const).map((method) => [
    `${method} of ${what}`,
    (e) =>
      e.masks
        .causal()
        .or(e.masks.prefixLM([1, 2]))
        [method](any(shapeOf)),
    code,
    argument,
    ...says,
  ]);
const shapes: Wrong[] = [
  ...asked('nothing', undefined, invalid, /^shape/, 'undefined'),
  ...asked('no queries', { batch: 2, keys: 3 }, invalid, 'shape.queries', 'undefined'),
  ...asked('−3 keys', { batch: 2, queries: 3, keys: -3 }, invalid, 'shape.keys', -3),
  ...asked('half a batch', { batch: 0.5, queries: 3, keys: 3 }, invalid, 'shape.batch', '0.5'),
  ...asked('NaN heads', { batch: 2, heads: NaN, queries: 3, keys: 3 }, invalid, 'shape.heads', 'NaN'),
  ...asked('a key', { batch: 2, queries: 3, keys: 3, key: 3 }, invalid, 'shape.key', 'keys'),
  ...asked(
    'offsets for three',
    { batch: 2, queries: 3, keys: 3, queryOffset: [1, 2, 3] },
    shape,
    'shape.queryOffset',
    3,
    2,
  ),
  ...asked('another batch', { batch: 3, queries: 3, keys: 3 }, shape, /./, 2, 3),
  [
    'toDense past any memory',
    (e) => e.masks.causal().toDense({ queries: 2 ** 24, keys: 2 ** 24 }),
    'OUT_OF_MEMORY',
    /^(shape.*)?$/,
    /\d/,
  ],
];

// A call of B = 2, H = 3, Sq = 4, Skv = 6.
const given = (what: string, mask: (masks: Masks) => Mask, code: AttentionErrorCode, ...says: Says): Wrong => [
  `a call with ${what}`,
  (e: Attention) => sdpa({ mask: mask(e.masks) })(e),
  code,
  'options.mask',
  ...says,
];
const calls: Wrong[] = [
  given('prefixes of three', (m) => m.prefixLM([1, 2, 3]), shape, 3, 2),
  given('lengths of three', (m) => m.keyPadding([1, 2, 3]), shape, 3, 2),
  given('keys of another length', (m) => m.keyPadding(bool(2, 5)), shape, 5, 6),
  given('keys of another batch', (m) => m.keyPadding(bool(3, 6)), shape, 3, 2),
  given('documents of three', (m) => m.documents([[0], [0], [0]]), shape, 3, 2),
  given('short documents', (m) => m.documents([0, 0, 0, 1, 1]), shape, 5, 6),
  given(
    'one short document list',
    (m) =>
      m.documents([
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0],
      ]),
    shape,
    3,
    6,
  ),
  given('few blocks of keys', (m) => m.blockSparse(bool(1, 1, 2, 2), 2), shape, 2, 3),
  given('few blocks of queries', (m) => m.blockSparse(bool(1, 1, 1, 3), 2), shape, 1, 2),
  given('blocks of another batch', (m) => m.blockSparse(bool(3, 1, 2, 3), 2), shape, 3, 2),
  given('blocks of other heads', (m) => m.blockSparse(bool(1, 2, 2, 3), 2), shape, 2, 3),
  given('dense pairs of other queries', (m) => m.dense(bool(5, 6)), shape, 5, 4),
  given('dense pairs of more keys', (m) => m.dense(bool(4, 7)), shape, 7, 6),
  given('dense pairs of other heads', (m) => m.dense(bool(2, 4, 6)), shape, 2, 3),
  given('a wrong one inside', (m) => m.causal().and(m.causal().or(m.prefixLM([1]).not())), shape, 1, 2),
  given('a copy of a mask', (m) => ({ ...m.causal() }), invalid),
  [
    'a call with a rule for attentionMask',
    (e) => sdpa({ attentionMask: e.masks.causal() })(e),
    invalid,
    'options.attentionMask',
  ],
  [
    'a call with a builder that was not called',
    (e) => sdpa({ mask: e.masks.causal })(e),
    invalid,
    'options.mask',
    'function',
  ],
  [
    'documents past their end by the offset',
    (e) => sdpa({ mask: e.masks.documents([0, 0, 0, 1, 1, 1]), queryOffset: 5 })(e),
    shape,
    'options.mask',
    6,
    9,
  ],
  ...(['causal', 'fromFunction', 'prefixLM'] as const).map((name): Wrong => {
    const nothing = { data: new Float32Array(0), shape: [2 ** 25, 1, 0, 8] };
    const rule = (m: Masks) => ({
      causal: m.causal(),
      fromFunction: m.fromFunction(() => true),
      prefixLM: m.prefixLM(1),
    });
    return [
      `a call of 2^25 batch entries with ${name}`,
      (e) => e.scaledDotProductAttention(nothing, nothing, nothing, { mask: rule(e.masks)[name] }),
      'OUT_OF_MEMORY',
      'options.mask',
      2 ** 25,
    ];
  }),
];

export const wrongMasks: readonly Wrong[] = [...builders, ...shapes, ...calls];
