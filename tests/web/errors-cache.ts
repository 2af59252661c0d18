import { type Attention, type AttentionErrorCode, type KvCache, masks } from 'attention-wasm';
import { gone, int64 } from './errors-functions.ts';
import type { Plain } from './random.ts';
import { any, bool, dtype, f32, invalid, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;

const sizes = { batch: 2, numKvHeads: 2, headDim: 8, valueDim: 5, capacity: 20 };
const int8 = (...axes: number[]): Plain => ({ data: new Int8Array(axes.reduce((a, b) => a * b, 1)), shape: axes });

const config = (what: string, changed: unknown, argument: Argument, ...says: Says): Wrong => [
  `kvCache with ${what}`,
  (e) => e.kvCache(any(typeof changed === 'object' && changed !== null ? { ...sizes, ...changed } : changed)),
  invalid,
  argument,
  ...says,
];
const streaming = { window: 8, sinkTokens: 2, capacity: undefined };
const configs: Wrong[] = [
  config('no config', undefined, 'config', 'undefined'),
  config('null for config', null, 'config', 'null'),
  config('a number for config', 20, 'config', 20),
  config('no key heads', { numKvHeads: undefined }, 'config.numKvHeads', 'undefined'),
  config('0 key heads', { numKvHeads: 0 }, 'config.numKvHeads', 0),
  config('half a head', { numKvHeads: 0.5 }, 'config.numKvHeads', '0.5'),
  config('no head size', { headDim: undefined }, 'config.headDim', 'undefined'),
  config('head size 0', { headDim: 0 }, 'config.headDim', 0),
  config('head size NaN', { headDim: NaN }, 'config.headDim', 'NaN'),
  config('head size as text', { headDim: '8' }, 'config.headDim', "'8'"),
  config('value size −1', { valueDim: -1 }, 'config.valueDim', -1),
  config('value size null', { valueDim: null }, 'config.valueDim', 'null'),
  config('batch 0', { batch: 0 }, 'config.batch', 0),
  config('batch ∞', { batch: Infinity }, 'config.batch', 'Infinity'),
  config('neither capacity nor window', { capacity: undefined }, 'config.capacity', 'undefined'),
  config('capacity 0', { capacity: 0 }, 'config.capacity', 0),
  config('capacity −5', { capacity: -5 }, 'config.capacity', -5),
  config('capacity 2⁴⁰', { capacity: 2 ** 40 }, 'config.capacity', 2 ** 40),
  config('window 0', { window: 0 }, 'config.window', 0),
  config('window −1', { window: -1 }, 'config.window', -1),
  config('window 2.5', { window: 2.5 }, 'config.window', '2.5'),
  config('a window of two', { window: [8, 0] }, 'config.window'),
  config('−1 sinks', { ...streaming, sinkTokens: -1 }, 'config.sinkTokens', -1),
  config('a rollback of −1', { ...streaming, rollback: -1 }, 'config.rollback', -1),
  config('a rollback but no window', { rollback: 2 }, 'config.rollback', 'window'),
  config('less room than the rollback', { ...streaming, rollback: 3, capacity: 12 }, 'config.capacity', 12, 13),
  config('sinks but no window', { sinkTokens: 2 }, 'config.sinkTokens', 'window'),
  config('less room than the window', { ...streaming, sinkTokens: 0, capacity: 7 }, 'config.capacity', 7, 8),
  config('less room than sinks and window', { ...streaming, capacity: 9 }, 'config.capacity', 9, 10),
  config('dtype float64', { dtype: 'float64' }, 'config.dtype', 'float64', 'float16'),
  config('dtype 8', { dtype: 8 }, 'config.dtype', 8),
  config('num_kv_heads', { num_kv_heads: 2 }, 'config.num_kv_heads', 'numKvHeads'),
  config('numHeads', { numHeads: 2 }, 'config.numHeads', 'numKvHeads'),
  config('layout', { layout: 'BSHD' }, 'config.layout'),
  config('sinks', { sinks: 2 }, 'config.sinks', 'sinkTokens'),
];

/** A call on a cache that holds 3 tokens. */
const on = (
  what: string,
  call: (cache: KvCache, e: Attention) => unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => [
  `a cache: ${what}`,
  (e) => {
    using cache = e.kvCache(sizes);
    cache.append(k3, v3);
    try {
      return call(cache, e);
    } catch (error) {
      if (cache.length !== 3) throw new Error(`the cache has ${cache.length} tokens, wanted 3`, { cause: error });
      throw error;
    }
  },
  code,
  argument,
  ...says,
];
const [q3, k3, v3] = [f32(2, 4, 3, 8), f32(2, 2, 3, 8), f32(2, 2, 3, 5)];

const append = (
  what: string,
  k: unknown,
  v: unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => on(`append ${what}`, (cache) => cache.append(any(k), any(v)), code, argument, ...says);
const appendWith = (
  what: string,
  options: unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => on(`append with ${what}`, (cache) => cache.append(k3, v3, any(options)), code, argument, ...says);
const appends: Wrong[] = [
  append('nothing', undefined, undefined, invalid, 'k', 'undefined'),
  append('no values', k3, undefined, invalid, 'v', 'undefined'),
  append('null', null, null, invalid, 'k', 'null'),
  append('of rank 1', f32(8), v3, shape, 'k', '[8]'),
  append('of rank 5', f32(1, 2, 2, 3, 8), v3, shape, 'k', '[1,2,2,3,8]'),
  append('of one batch entry', f32(1, 2, 3, 8), f32(1, 2, 3, 5), shape, 'k', 1, 2),
  append('of one head', f32(2, 1, 3, 8), f32(2, 1, 3, 5), shape, 'k', 1, 2),
  append('of another head size', f32(2, 2, 3, 9), v3, shape, 'k', 9, 8),
  append('of another value size', k3, f32(2, 2, 3, 8), shape, 'v', 8, 5),
  append('of more values', k3, f32(2, 2, 4, 5), shape, 'v', 4, 3),
  append('of values of another rank', k3, f32(4, 3, 5), shape, 'v', '[4,3,5]'),
  append('of values packed', k3, f32(2, 3, 10), shape, 'v', '[2,3,10]'),
  append('of values of another batch', k3, f32(3, 2, 3, 5), shape, 'v', 3, 2),
  append('without a batch', f32(2, 3, 8), f32(2, 3, 5), shape, 'k'),
  append('of int8', int8(2, 2, 3, 8), v3, dtype, 'k', 'int8', 'float32'),
  append('of int8 values', k3, int8(2, 2, 3, 5), dtype, 'v', 'int8', 'float32'),
  append('of int64', int64(2, 2, 3, 8), v3, dtype, 'k', 'int64'),
  append('of bool', bool(2, 2, 3, 8), v3, dtype, 'k', 'bool'),
  append('shorter than its shape', { data: new Float32Array(95), shape: [2, 2, 3, 8] }, v3, shape, 'k', 95, 96),
  on('append what is no more', (cache, e) => cache.append(gone(e, 2, 2, 3, 8), v3), 'DISPOSED', 'k'),
  on('append values that are no more', (cache, e) => cache.append(k3, gone(e, 2, 2, 3, 5)), 'DISPOSED', 'v'),
  appendWith('null', null, invalid, 'options', 'null'),
  appendWith('an unknown layout', { layout: 'BHDS' }, invalid, 'options.layout', 'BHDS'),
  appendWith('the other layout', { layout: 'BSHD' }, shape, 'k', 3, 2),
  appendWith('other heads', { numKvHeads: 4 }, invalid, 'options.numKvHeads', 4, 2),
  appendWith('heads as text', { numKvHeads: '2' }, invalid, 'options.numKvHeads', "'2'"),
  appendWith('−2 heads', { numKvHeads: -2 }, invalid, 'options.numKvHeads', -2),
  appendWith('numHeads', { numHeads: 2 }, invalid, 'options.numHeads', 'numKvHeads'),
  appendWith('a mask', { mask: f32(3, 3) }, invalid, 'options.mask'),
  appendWith('keyScales', { keyScales: f32(2, 2, 3) }, invalid, 'options.keyScales'),
  on(
    'append too much',
    (cache) => cache.append(f32(2, 2, 18, 8), f32(2, 2, 18, 5)),
    'CAPACITY_EXCEEDED',
    'k',
    18,
    3,
    20,
  ),
  on('attend too much', (c) => c.attend(q3, f32(2, 2, 18, 8), f32(2, 2, 18, 5)), 'CAPACITY_EXCEEDED', 'k', 18, 3, 20),
];

const attend = (
  what: string,
  options: unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong[] => [on(`attend with ${what}`, (cache) => cache.attend(q3, k3, v3, any(options)), code, argument, ...says)];
/** Also where nothing is appended: 3 keys instead of 6. */
const look = (what: string, options: unknown, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong[] => [
  on(`attend only, with ${what}`, (cache) => cache.attend(q3, null, null, any(options)), code, argument, ...says),
];
const both = (...told: Parameters<typeof attend>): Wrong[] => [...attend(...told), ...look(...told)];
const given = (
  what: string,
  [q, k, v]: unknown[],
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => on(`attend ${what}`, (cache) => cache.attend(any(q), any(k), any(v)), code, argument, ...says);
const attends: Wrong[] = [
  given('without queries', [undefined, k3, v3], invalid, 'q', 'undefined'),
  given('by null', [null, null, null], invalid, 'q', 'null'),
  given('keys alone', [q3, k3, null], invalid, /^[kv]$/, 'null'),
  given('values alone', [q3, null, v3], invalid, /^[kv]$/, 'null'),
  given('undefined keys', [q3, undefined, undefined], invalid, 'k', 'undefined'),
  given('by queries of another size', [f32(2, 4, 3, 7), null, null], shape, 'q', 7, 8),
  given('by queries of another batch', [f32(3, 4, 3, 8), null, null], shape, 'q', 3, 2),
  given('by 3 heads over 2', [f32(2, 3, 3, 8), null, null], shape, 'q', 3, 2),
  given('by 3 heads over 2, appending', [f32(2, 3, 3, 8), k3, v3], shape, /^[qk]$/, 3, 2),
  given('by one head over 2', [f32(2, 1, 3, 8), null, null], shape, 'q', 1, 2),
  given('by rank 1', [f32(8), null, null], shape, 'q', '[8]'),
  given('by rank 3', [f32(4, 3, 8), null, null], shape, 'q'),
  given('by int8', [int8(2, 4, 3, 8), null, null], dtype, 'q', 'int8', 'float32'),
  given('ranks apart', [q3, f32(2, 3, 8), f32(2, 3, 5)], shape, 'k', '[2,3,8]'),
  given('int8 keys', [q3, int8(2, 2, 3, 8), v3], dtype, 'k', 'int8', 'float32'),
  given('int8 values', [q3, k3, int8(2, 2, 3, 5)], dtype, 'v', 'int8', 'float32'),
  given('values of another length', [q3, k3, f32(2, 2, 2, 5)], shape, 'v', 2, 3),
  on('attend by what is no more', (cache, e) => cache.attend(gone(e, 2, 4, 3, 8), null, null), 'DISPOSED', 'q'),
  ...both('null', null, invalid, 'options', 'null'),
  ...both("'upper-left'", { causal: 'upper-left' }, invalid, 'options.causal', 'upper-left'),
  ...both('causal 1', { causal: 1 }, invalid, 'options.causal', 1),
  ...both(
    'an offset beside lower-right',
    { causal: 'lower-right', queryOffset: 3 },
    invalid,
    'options.queryOffset',
    'lower-right',
  ),
  ...both('offsets of another batch', { queryOffset: [3] }, shape, 'options.queryOffset', 1, 2),
  ...both('half an offset', { queryOffset: 0.5 }, invalid, 'options.queryOffset', '0.5'),
  ...both('casual', { casual: true }, invalid, 'options.casual', 'causal'),
  ...both('keyScales', { keyScales: f32(2, 2, 3) }, invalid, 'options.keyScales'),
  ...both('valueScales', { valueScales: f32(2, 2, 3) }, invalid, 'options.valueScales'),
  ...both('numKvHeads 4', { numHeads: 4, numKvHeads: 4 }, invalid, 'options.numKvHeads', 4, 2),
  ...both('numHeads 2', { numHeads: 2 }, invalid, 'options.numHeads', 2, 4),
  ...both('numKvHeads alone', { numKvHeads: 2 }, invalid, 'options.numKvHeads', 'numHeads'),
  on(
    'attend packed, with numKvHeads alone',
    (c) => c.attend(f32(2, 3, 32), f32(2, 3, 16), f32(2, 3, 10), { numKvHeads: 2 }),
    invalid,
    'options.numKvHeads',
    'numHeads',
  ),
  on(
    'attend only, packed, with other key heads',
    (c) => c.attend(f32(2, 3, 32), null, null, { numHeads: 4, numKvHeads: 1 }),
    invalid,
    'options.numKvHeads',
    1,
    2,
  ),
  on('attend with packed values', (c) => c.attend(q3, k3, f32(2, 3, 10), { numHeads: 4 }), shape, 'v', '[2,3,10]'),
  on(
    'attend with an output over the new keys',
    (c) => {
      const room = new Float32Array(216);
      return c.attend(q3, { data: room.subarray(120), shape: [2, 2, 3, 8] }, v3, { out: room.subarray(1, 121) });
    },
    invalid,
    'options.out',
    'overlap',
  ),
  ...both('a layout of its own', { layout: 'HBSD' }, invalid, 'options.layout', 'HBSD'),
  ...both('slopes of key heads', { alibi: f32(2) }, shape, 'options.alibi', 2, 4),
  ...both('sinks of key heads', { sinks: f32(2) }, shape, 'options.sinks', 2, 4),
  ...both('a softcap of −1', { softcap: -1 }, invalid, 'options.softcap', -1),
  ...both('a window of −2', { window: [-2, 0] }, invalid, 'options.window', -2),
  ...both('weights by another name', { weights: 'logits' }, invalid, 'options.weights', 'logits'),
  ...both('lengths of another batch', { kvLengths: [1] }, shape, 'options.kvLengths', 1, 2),
  ...both('a mask of other queries', { mask: bool(4, 3) }, shape, 'options.mask', 4, 3),
  ...both('into another size', { out: new Float32Array(7) }, shape, 'options.out', 7, 120),
  ...attend('lengths past the new keys', { kvLengths: [6, 7] }, invalid, 'options.kvLengths', 7, 6),
  ...attend('a mask of 7 keys', { mask: bool(3, 7) }, shape, 'options.mask', 7, 6),
  ...attend(
    'an attentionMask of the new keys alone',
    { attentionMask: bool(2, 3) },
    shape,
    'options.attentionMask',
    3,
    6,
  ),
  ...attend('documents for 5 positions', { mask: masks.documents([0, 0, 0, 1, 1]) }, shape, 'options.mask', 5, 6),
  ...look('lengths past what is held', { kvLengths: [3, 4] }, invalid, 'options.kvLengths', 4, 3),
  ...look('a mask of 4 keys', { mask: bool(3, 4) }, shape, 'options.mask', 4, 3),
];

const others: Wrong[] = [
  on('truncate to nothing', (cache) => cache.truncate(any(undefined)), invalid, 'length', 'undefined'),
  on('truncate to more', (cache) => cache.truncate(4), invalid, 'length', 4, 3),
  on('truncate to −1', (cache) => cache.truncate(-1), invalid, 'length', -1),
  on('truncate to 1.5', (cache) => cache.truncate(1.5), invalid, 'length', '1.5'),
  on('truncate to NaN', (cache) => cache.truncate(NaN), invalid, 'length', 'NaN'),
  on('truncate to text', (cache) => cache.truncate(any('2')), invalid, 'length', "'2'"),
  [
    'a cache: truncate to what the window left behind',
    (e) => {
      using cache = e.kvCache({ numKvHeads: 1, headDim: 4, window: 3, sinkTokens: 1 });
      cache.append(f32(1, 9, 4), f32(1, 9, 4));
      cache.truncate(7);
    },
    invalid,
    'length',
    7,
    8,
  ],
  on('reorder by nothing', (cache) => cache.reorder(any(undefined)), invalid, 'batch', 'undefined'),
  on('reorder by a number', (cache) => cache.reorder(any(1)), invalid, 'batch', 1),
  on('reorder by one', (cache) => cache.reorder([0]), shape, 'batch', 1, 2),
  on('reorder by three', (cache) => cache.reorder([0, 1, 1]), shape, 'batch', 3, 2),
  on('reorder by entry 2', (cache) => cache.reorder([0, 2]), invalid, 'batch', 2),
  on('reorder by entry −1', (cache) => cache.reorder([-1, 0]), invalid, 'batch', -1),
  on('reorder by half an entry', (cache) => cache.reorder([0.5, 0]), invalid, 'batch', '0.5'),
  on('reorder by 2⁴⁰', (cache) => cache.reorder([0n, 2n ** 40n]), invalid, 'batch', String(2n ** 40n)),
  on('load nothing', (cache) => cache.load(any(undefined)), invalid, 'bytes', 'undefined'),
  on('load text', (cache) => cache.load(any('bytes')), invalid, 'bytes', 'bytes'),
  on('load floats', (cache) => cache.load(any(new Float32Array(9))), invalid, 'bytes'),
  on('load a buffer', (cache) => cache.load(any(new ArrayBuffer(9))), invalid, 'bytes'),
  on('load no bytes', (cache) => cache.load(new Uint8Array(0)), 'CORRUPT_FILE', 'bytes'),
  on('load zeros', (cache) => cache.load(new Uint8Array(4096)), 'CORRUPT_FILE', 'bytes'),
];

export const wrongCaches: readonly Wrong[] = [...configs, ...appends, ...attends, ...others];
