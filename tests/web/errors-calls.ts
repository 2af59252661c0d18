import type { Attention, AttentionErrorCode } from 'attention-wasm';
import { gone, int64 } from './errors-functions.ts';
import { any, bool, dtype, f32, invalid, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;

const sums = { cuSeqlensQ: [0, 3, 7], cuSeqlensKv: [0, 4, 9] };
const packed = (q: unknown, k: unknown, v: unknown) => (e: Attention) =>
  e.variableLengthAttention(any(q), any(k), any(v), sums);
const varlen = (what: string, options: object, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong => [
  `variableLengthAttention ${what}`,
  (e) => e.variableLengthAttention(f32(7, 4, 8), f32(9, 2, 8), f32(9, 2, 5), any({ ...sums, ...options })),
  code,
  argument,
  ...says,
];
const variableLength: Wrong[] = [
  ['variableLengthAttention of nothing', packed(undefined, f32(9, 2, 8), f32(9, 2, 8)), invalid, 'q', 'undefined'],
  ['variableLengthAttention of rank 2', packed(f32(7, 8), f32(9, 2, 8), f32(9, 2, 8)), shape, 'q', '[7,8]'],
  ['variableLengthAttention of rank 4', packed(f32(1, 7, 2, 8), f32(9, 2, 8), f32(9, 2, 8)), shape, 'q', '[1,7,2,8]'],
  [
    'variableLengthAttention, k of rank 4',
    packed(f32(7, 2, 8), f32(1, 9, 2, 8), f32(9, 2, 8)),
    shape,
    'k',
    '[1,9,2,8]',
  ],
  ['variableLengthAttention, k of another size', packed(f32(7, 2, 8), f32(9, 2, 7), f32(9, 2, 8)), shape, 'k', 7, 8],
  ['variableLengthAttention, v of another length', packed(f32(7, 2, 8), f32(9, 2, 8), f32(8, 2, 8)), shape, 'v', 8, 9],
  ['variableLengthAttention, v of other heads', packed(f32(7, 2, 8), f32(9, 2, 8), f32(9, 1, 8)), shape, 'v', 1, 2],
  ['variableLengthAttention, k of integers', packed(f32(7, 2, 8), int64(9, 2, 8), f32(9, 2, 8)), dtype, 'k', 'int64'],
  ['variableLengthAttention, v gone', (e) => packed(f32(7, 2, 8), f32(9, 2, 8), gone(e, 9, 2, 8))(e), 'DISPOSED', 'v'],
  [
    'variableLengthAttention without options',
    (e) => e.variableLengthAttention(f32(7, 2, 8), f32(9, 2, 8), f32(9, 2, 8), any(undefined)),
    invalid,
    /^options/,
    'undefined',
  ],
  varlen('without sums of queries', { cuSeqlensQ: undefined }, invalid, 'options.cuSeqlensQ', 'undefined'),
  varlen('without sums of keys', { cuSeqlensKv: undefined }, invalid, 'options.cuSeqlensKv', 'undefined'),
  varlen('with a number for sums', { cuSeqlensQ: 7 }, invalid, 'options.cuSeqlensQ', 7),
  varlen('with sums that start at 1', { cuSeqlensQ: [1, 3, 7] }, invalid, 'options.cuSeqlensQ', 1, 0),
  varlen('with sums that fall', { cuSeqlensQ: [0, 8, 7] }, invalid, 'options.cuSeqlensQ', 7, 'index 2', /least|rise/),
  varlen('with negative sums', { cuSeqlensKv: [0, -4, 9] }, invalid, 'options.cuSeqlensKv', -4),
  varlen('with sums of halves', { cuSeqlensKv: [0, 4.5, 9] }, invalid, 'options.cuSeqlensKv', '4.5'),
  varlen('with sums of NaN', { cuSeqlensKv: [0, NaN, 9] }, invalid, 'options.cuSeqlensKv', 'NaN'),
  varlen('with sums past 2³¹', { cuSeqlensKv: [0n, 4n, 2n ** 40n] }, invalid, 'options.cuSeqlensKv', String(2n ** 40n)),
  varlen('with sums that end early', { cuSeqlensQ: [0, 3, 6] }, shape, 'options.cuSeqlensQ', 6, 7),
  varlen('with sums that end late', { cuSeqlensKv: [0, 4, 10] }, shape, 'options.cuSeqlensKv', 10, 9),
  varlen('with unlike batches', { cuSeqlensKv: [0, 4, 5, 9] }, shape, 'options.cuSeqlensKv', 4, 3),
  varlen('with a layout', { layout: 'BSHD' }, invalid, 'options.layout'),
  varlen('with weights', { weights: true }, invalid, 'options.weights'),
  varlen('with scores', { weights: 'scores' }, invalid, 'options.weights'),
  varlen('with other heads', { numHeads: 2 }, invalid, 'options.numHeads', 2, 4),
  varlen('with other key heads', { numHeads: 4, numKvHeads: 4 }, invalid, 'options.numKvHeads', 4, 2),
  varlen('with cuSeqLensQ', { cuSeqLensQ: [0, 3, 7] }, invalid, 'options.cuSeqLensQ', 'cuSeqlensQ'),
  varlen('with maxSeqlenQ', { maxSeqlenQ: 4 }, invalid, 'options.maxSeqlenQ'),
  varlen('with offsets for another batch', { queryOffset: [1, 2, 3] }, shape, 'options.queryOffset', 3, 2),
  varlen('with lengths past a sequence', { kvLengths: [5, 5] }, invalid, 'options.kvLengths', 5, 4),
  varlen('with lengths for another batch', { kvLengths: [1] }, shape, 'options.kvLengths', 1, 2),
  varlen('with a mask of more queries', { mask: bool(5, 5) }, shape, 'options.mask', 5, 4),
  varlen('with a mask of more keys', { mask: bool(4, 6) }, shape, 'options.mask', 6, 5),
  varlen('with an attentionMask per token', { attentionMask: bool(1, 9) }, shape, 'options.attentionMask', 9, 5),
  varlen('with slopes of key heads', { alibi: f32(2) }, shape, 'options.alibi', 2, 4),
  varlen('with sinks of integers', { sinks: int64(4) }, dtype, 'options.sinks', 'int64', 'float32'),
  varlen('with a softcap of −1', { softcap: -1 }, invalid, 'options.softcap', -1),
  varlen('with a window of −2', { window: [-2, 0] }, invalid, 'options.window', -2),
  varlen('into another size', { out: new Float32Array(7) }, shape, 'options.out', 7, 140),
];

const map = (what: string, options: unknown, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong => [
  `attentionMap ${what}`,
  (e) => e.attentionMap(f32(2, 3, 6, 4), f32(2, 3, 9, 4), any(options)),
  code,
  argument,
  ...says,
];
const maps: Wrong[] = [
  ['attentionMap of nothing', (e) => e.attentionMap(any(null), f32(3, 4)), invalid, 'q', 'null'],
  ['attentionMap without keys', (e) => e.attentionMap(f32(3, 4), any(undefined)), invalid, 'k', 'undefined'],
  ['attentionMap of other head sizes', (e) => e.attentionMap(f32(3, 4), f32(3, 5)), shape, 'k', 5, 4],
  ['attentionMap of other ranks', (e) => e.attentionMap(f32(3, 4), f32(1, 3, 4)), shape, 'k', '[1,3,4]'],
  ['attentionMap of other batches', (e) => e.attentionMap(f32(1, 1, 3, 4), f32(2, 1, 3, 4)), shape, 'k', 2, 1],
  ['attentionMap of what is no more', (e) => e.attentionMap(f32(3, 4), gone(e, 3, 4)), 'DISPOSED', 'k'],
  map('with values', f32(2, 3, 9, 4), invalid, /^options/),
  map('of rows past the queries', { rows: [0, 7] }, invalid, 'options.rows', 7, 6),
  map('of rows backwards', { rows: [3, 2] }, invalid, 'options.rows', 3, 2),
  map('of rows from −1', { rows: [-1, 2] }, invalid, 'options.rows', -1),
  map('of half a row', { rows: [0.5, 2] }, invalid, 'options.rows', '0.5'),
  map('of rows to NaN', { rows: [0, NaN] }, invalid, 'options.rows', 'NaN'),
  map('of one number for rows', { rows: [3] }, invalid, 'options.rows'),
  map('of a number for rows', { rows: 3 }, invalid, 'options.rows', 3),
  map('of columns past the keys', { columns: [8, 10] }, invalid, 'options.columns', 10, 9),
  map('of columns to 2⁴⁰', { columns: [0, 2 ** 40] }, invalid, 'options.columns', 2 ** 40),
  map('of columns backwards', { columns: [9, 0] }, invalid, 'options.columns', 9, 0),
  map('of size 0', { size: [0, 4] }, invalid, 'options.size', 0),
  map('of size −4', { size: [4, -4] }, invalid, 'options.size', -4),
  map('of size 2.5', { size: [2.5, 4] }, invalid, 'options.size', '2.5'),
  map('of a number for size', { size: 16 }, invalid, 'options.size', 16),
  map('of three sizes', { size: [1, 2, 3] }, invalid, 'options.size'),
  map('by min', { pool: 'min' }, invalid, 'options.pool', 'min', 'mean'),
  map('with weights', { weights: true }, invalid, 'options.weights'),
  map('with out', { out: new Float32Array(4) }, invalid, 'options.out'),
  map('with logSumExp as a flag', { logSumExp: true }, invalid, 'options.logSumExp', 'true'),
  map('with logSumExp of other rows', { logSumExp: f32(2, 3, 9) }, shape, 'options.logSumExp', '[2,3,9]', '[2,3,6]'),
  map('with logSumExp of rank 2', { logSumExp: f32(3, 6) }, shape, 'options.logSumExp', '[3,6]'),
  map('with logSumExp of integers', { logSumExp: int64(2, 3, 6) }, dtype, 'options.logSumExp', 'int64'),
  [
    'attentionMap with logSumExp gone',
    (e) => e.attentionMap(f32(3, 4), f32(3, 4), { logSumExp: gone(e, 1, 1, 3) }),
    'DISPOSED',
    'options.logSumExp',
  ],
  map('with a mask of other keys', { mask: bool(6, 10) }, shape, 'options.mask', 10, 9),
  map('with slopes for other heads', { alibi: f32(4) }, shape, 'options.alibi', 4, 3),
  map('with a softcap of NaN', { softcap: NaN }, invalid, 'options.softcap', 'NaN'),
  map('with sizes', { sizes: [4, 4] }, invalid, 'options.sizes', 'size'),
];

export const wrongCalls: readonly Wrong[] = [...variableLength, ...maps];
