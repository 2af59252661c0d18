import type { Attention, AttentionErrorCode, MultiHeadAttention } from 'attention-wasm';
import { gone, int64 } from './errors-functions.ts';
import type { Plain } from './random.ts';
import { any, dtype, f32, invalid, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;

const right: Record<string, Plain> = {
  in_proj_weight: f32(48, 16),
  in_proj_bias: f32(48),
  'out_proj.weight': f32(16, 16),
  'out_proj.bias': f32(16),
};
const separate: Record<string, Plain> = {
  q_proj_weight: f32(16, 16),
  k_proj_weight: f32(16, 9),
  v_proj_weight: f32(16, 7),
  'out_proj.weight': f32(16, 16),
};
const sizes = { embedDim: 16, numHeads: 4 };

const config = (what: string, changed: unknown, argument: Argument, ...says: Says): Wrong => [
  `multiHeadAttention with ${what}`,
  (e) => e.multiHeadAttention(any(typeof changed === 'object' ? { ...sizes, ...changed } : changed), right),
  invalid,
  argument,
  ...says,
];
const configs: Wrong[] = [
  config('no config', undefined, 'config', 'undefined'),
  config('a number for config', 16, 'config', 16),
  config('no embedDim', { embedDim: undefined }, 'config.embedDim', 'undefined'),
  config('embedDim 0', { embedDim: 0 }, 'config.embedDim', 0),
  config('embedDim 16.5', { embedDim: 16.5 }, 'config.embedDim', '16.5'),
  config('no heads', { numHeads: undefined }, 'config.numHeads', 'undefined'),
  config('−4 heads', { numHeads: -4 }, 'config.numHeads', -4),
  config('NaN heads', { numHeads: NaN }, 'config.numHeads', 'NaN'),
  config('5 heads of 16', { numHeads: 5 }, /^config\.(numHeads|embedDim)$/, 5, 16),
  config('3 key heads of 4', { numKvHeads: 3 }, 'config.numKvHeads', 3, 4),
  config('8 key heads of 4', { numKvHeads: 8 }, 'config.numKvHeads', 8, 4),
  config('kdim 0', { kdim: 0 }, 'config.kdim', 0),
  config('vdim as text', { vdim: '7' }, 'config.vdim', "'7'"),
  config('dropout', { dropout: 0.1 }, 'config.dropout'),
  config('embed_dim', { embed_dim: 16 }, 'config.embed_dim', 'embedDim'),
];

const dict = (what: string, weights: unknown, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong => [
  `multiHeadAttention ${what}`,
  (e) => e.multiHeadAttention(sizes, any(weights)),
  code,
  argument,
  ...says,
];
const own = { ...sizes, kdim: 9, vdim: 7 };
const others = (weights: unknown) => (e: Attention) => e.multiHeadAttention(own, any(weights));
const dicts: Wrong[] = [
  dict('without weights', undefined, invalid, 'weights', 'undefined'),
  dict(
    'without in_proj_weight',
    { ...right, in_proj_weight: undefined },
    invalid,
    'weights.in_proj_weight',
    'undefined',
  ),
  dict('without out_proj.weight', { in_proj_weight: f32(48, 16) }, invalid, 'weights.out_proj.weight', 'undefined'),
  dict('with bias_k', { ...right, bias_k: f32(1, 1, 16) }, invalid, 'weights.bias_k'),
  dict('with bias_v', { ...right, bias_v: f32(1, 1, 16) }, invalid, 'weights.bias_v'),
  dict(
    'with names of another layer',
    { ...right, 'q_proj.weight': f32(16, 16) },
    invalid,
    'weights.q_proj.weight',
    'q_proj_weight',
  ),
  dict(
    'with out_proj_weight',
    { ...right, out_proj_weight: f32(16, 16) },
    invalid,
    'weights.out_proj_weight',
    'out_proj.weight',
  ),
  dict('packed and separate', { ...right, q_proj_weight: f32(16, 16) }, invalid, /^weights\.(q_proj|in_proj)_weight$/),
  dict(
    'of other rows',
    { ...right, in_proj_weight: f32(32, 16) },
    shape,
    'weights.in_proj_weight',
    '[32,16]',
    '[48,16]',
  ),
  dict('of other columns', { ...right, in_proj_weight: f32(48, 15) }, shape, 'weights.in_proj_weight', 15, 16),
  dict('of rank 1', { ...right, in_proj_weight: f32(768) }, shape, 'weights.in_proj_weight', '[768]'),
  dict('with a short in_proj_bias', { ...right, in_proj_bias: f32(16) }, shape, 'weights.in_proj_bias', 16, 48),
  dict('with a long out_proj.bias', { ...right, 'out_proj.bias': f32(17) }, shape, 'weights.out_proj.bias', 17, 16),
  dict(
    'with another out_proj',
    { ...right, 'out_proj.weight': f32(16, 8) },
    shape,
    'weights.out_proj.weight',
    '[16,8]',
  ),
  dict('of integers', { ...right, in_proj_weight: int64(48, 16) }, dtype, 'weights.in_proj_weight', 'int64', 'float32'),
  dict('with a number', { ...right, in_proj_bias: 0 }, invalid, 'weights.in_proj_bias', 0),
  [
    'multiHeadAttention of what is no more',
    (e) => e.multiHeadAttention(sizes, { ...right, in_proj_weight: gone(e, 48, 16) }),
    'DISPOSED',
    'weights.in_proj_weight',
  ],
  ['multiHeadAttention packed in spite of kdim', others(right), invalid, /^weights\./, 'k_proj_weight'],
  [
    'multiHeadAttention without v_proj_weight',
    others({ ...separate, v_proj_weight: undefined }),
    invalid,
    'weights.v_proj_weight',
    'undefined',
  ],
  [
    'multiHeadAttention with k_proj_weight of E',
    others({ ...separate, k_proj_weight: f32(16, 16) }),
    shape,
    'weights.k_proj_weight',
    16,
    9,
  ],
  [
    'multiHeadAttention with q_proj_weight of kdim',
    others({ ...separate, q_proj_weight: f32(16, 9) }),
    shape,
    'weights.q_proj_weight',
    9,
    16,
  ],
];

const forward = (
  what: string,
  call: (layer: MultiHeadAttention, e: Attention) => unknown,
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => [
  `forward ${what}`,
  (e) => {
    using layer = e.multiHeadAttention(sizes, right);
    return call(layer, e);
  },
  code,
  argument,
  ...says,
];
const x = f32(2, 3, 16);
const forwards: Wrong[] = [
  forward('of nothing', (layer) => layer.forward(any(undefined)), invalid, 'query', 'undefined'),
  forward('of rank 1', (layer) => layer.forward(f32(16)), shape, 'query', '[16]'),
  forward('of rank 4', (layer) => layer.forward(f32(1, 2, 3, 16)), shape, 'query', '[1,2,3,16]'),
  forward('of another width', (layer) => layer.forward(f32(3, 15)), shape, 'query', 15, 16),
  forward('of integers', (layer) => layer.forward(int64(3, 16)), dtype, 'query', 'int64', 'float32'),
  forward('of what is no more', (layer, e) => layer.forward(gone(e, 3, 16)), 'DISPOSED', 'query'),
  forward('with keys of another batch', (layer) => layer.forward(x, f32(3, 5, 16)), shape, 'key', 3, 2),
  forward('with keys of another rank', (layer) => layer.forward(x, f32(5, 16)), shape, 'key', '[5,16]'),
  forward('with keys of another width', (layer) => layer.forward(x, f32(2, 5, 8)), shape, 'key', 8, 16),
  forward(
    'with values of another length',
    (layer) => layer.forward(x, f32(2, 5, 16), f32(2, 4, 16)),
    shape,
    'value',
    4,
    5,
  ),
  forward('with values of another width', (layer) => layer.forward(x, x, f32(2, 3, 7)), shape, 'value', 7, 16),
  forward('with values that are no more', (layer, e) => layer.forward(x, x, gone(e, 2, 3, 16)), 'DISPOSED', 'value'),
  forward(
    'averaging nothing',
    (layer) => layer.forward(x, { averageWeights: true }),
    invalid,
    'options.averageWeights',
    'weights',
  ),
  forward(
    'averaging by 1',
    (layer) => layer.forward(x, any({ weights: true, averageWeights: 1 })),
    invalid,
    'options.averageWeights',
    1,
  ),
  forward(
    'with what is no cache',
    (layer) => layer.forward(x, any({ cache: {} })),
    invalid,
    'options.cache',
    'kvCache',
  ),
  forward('with needWeights', (layer) => layer.forward(x, any({ needWeights: true })), invalid, 'options.needWeights'),
  forward(
    'with a mask of other heads',
    (layer) => layer.forward(x, { mask: f32(2, 3, 3) }),
    shape,
    'options.mask',
    2,
    4,
  ),
  forward(
    'into another size',
    (layer) => layer.forward(x, { out: new Float32Array(95) }),
    shape,
    'options.out',
    95,
    96,
  ),
];

export const wrongMultiHead: readonly Wrong[] = [...configs, ...dicts, ...forwards];
