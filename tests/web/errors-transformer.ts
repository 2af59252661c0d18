import {
  type Attention,
  type AttentionErrorCode,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'attention-wasm';
import { gone, int64 } from './errors-functions.ts';
import type { Plain } from './random.ts';
import { any, detached, dtype, f32, invalid, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;
type Dict = Record<string, Plain>;

const heads = (name: string): Dict => ({
  [`${name}.in_proj_weight`]: f32(48, 16),
  [`${name}.in_proj_bias`]: f32(48),
  [`${name}.out_proj.weight`]: f32(16, 16),
  [`${name}.out_proj.bias`]: f32(16),
});
const norm = (name: string): Dict => ({ [`${name}.weight`]: f32(16), [`${name}.bias`]: f32(16) });
const encoder: Dict = {
  ...heads('self_attn'),
  ...{ 'linear1.weight': f32(20, 16), 'linear1.bias': f32(20), 'linear2.weight': f32(16, 20), 'linear2.bias': f32(16) },
  ...norm('norm1'),
  ...norm('norm2'),
};
const decoder: Dict = { ...encoder, ...heads('multihead_attn'), ...norm('norm3') };
const under = (prefix: string, dict: Dict): Dict =>
  Object.fromEntries(Object.entries(dict).map(([name, tensor]) => [prefix + name, tensor]));
const stack: Dict = { ...under('layers.0.', encoder), ...under('layers.1.', encoder), ...norm('norm') };
const without = (dict: Dict, ...names: string[]): Dict =>
  Object.fromEntries(Object.entries(dict).filter(([name]) => !names.includes(name)));
const sizes = { numHeads: 4 };

const config = (what: string, changed: unknown, argument: Argument, ...says: Says): Wrong => [
  `transformerEncoderLayer with ${what}`,
  (e) => transformerEncoderLayer(e, any(typeof changed === 'object' ? { ...sizes, ...changed } : changed), encoder),
  invalid,
  argument,
  ...says,
];
const configs: Wrong[] = [
  config('no config', undefined, 'config', 'undefined'),
  config('a number for config', 4, 'config', 4),
  config('no heads', { numHeads: undefined }, 'config.numHeads', 'undefined'),
  config('5 heads of 16', { numHeads: 5 }, 'config.numHeads', 5, 16),
  config('the silu', { activation: 'silu' }, 'config.activation', "'silu'", "'gelu'"),
  config('normFirst of 1', { normFirst: 1 }, 'config.normFirst', 1),
  config('epsilon below 0', { layerNormEpsilon: -1e-5 }, 'config.layerNormEpsilon', '-0.00001'),
  config('epsilon as text', { layerNormEpsilon: '1e-5' }, 'config.layerNormEpsilon', "'1e-5'"),
  config('norm_first', { norm_first: true }, 'config.norm_first', 'normFirst'),
  config('embedDim', { embedDim: 16 }, 'config.embedDim', 'numHeads'),
];

const kinds = {
  layer: transformerEncoderLayer,
  decoderLayer: transformerDecoderLayer,
  stack: transformerEncoder,
  decoderStack: transformerDecoder,
} as const;
const dict = (
  what: string,
  kind: keyof typeof kinds,
  stateDict: unknown | ((e: Attention) => unknown),
  code: AttentionErrorCode,
  argument: Argument,
  ...says: Says
): Wrong => [
  `${kinds[kind].name} ${what}`,
  (e) => kinds[kind](e, sizes, any(typeof stateDict === 'function' ? stateDict(e) : stateDict)),
  code,
  argument,
  ...says,
];
const dicts: Wrong[] = [
  [
    'transformerEncoder in a worker',
    () => transformerEncoder(any({ link: {} }), sizes, stack),
    invalid,
    'attention',
    'createAttention',
  ],
  [
    'transformerEncoder nowhere',
    () => transformerEncoder(any(undefined), sizes, stack),
    invalid,
    'attention',
    'undefined',
  ],
  dict('without a state dict', 'layer', undefined, invalid, 'stateDict', 'undefined'),
  dict('of a Map', 'layer', new Map(Object.entries(encoder)), invalid, 'stateDict', 'Map'),
  dict('of nothing', 'layer', {}, invalid, 'stateDict', 'self_attn.in_proj_weight', 'norm2.weight'),
  dict('of nothing', 'decoderStack', {}, invalid, 'stateDict', 'layers.0.multihead_attn.in_proj_weight'),
  dict('with null', 'layer', { ...encoder, 'norm2.bias': null }, invalid, 'stateDict.norm2.bias', 'null'),
  dict(
    'without two names and with two others',
    'layer',
    { ...without(encoder, 'norm1.bias', 'linear2.weight'), 'norm3.weight': f32(16), 'head.weight': f32(2, 16) },
    invalid,
    'stateDict',
    'missing linear2.weight, norm1.bias',
    'unknown norm3.weight, head.weight',
    'torch.nn.TransformerEncoderLayer',
  ),
  dict('with only one bias', 'layer', { ...without(encoder, 'linear1.bias') }, invalid, 'stateDict', 'linear1.bias'),
  dict('of a decoder', 'layer', decoder, invalid, 'stateDict', 'multihead_attn.out_proj.bias', 'norm3.bias'),
  dict('of an encoder', 'decoderLayer', encoder, invalid, 'stateDict', 'multihead_attn.out_proj.bias', 'norm3.bias'),
  dict('of a stack', 'layer', stack, invalid, 'stateDict', "'layers.0.'", "'layers.1.'"),
  dict('of a layer', 'stack', encoder, invalid, 'stateDict', 'layers.0.linear1.weight', 'unknown self_attn.'),
  dict(
    'with a gap between layers',
    'stack',
    { ...under('layers.0.', encoder), ...under('layers.2.', encoder) },
    invalid,
    'stateDict',
    'missing layers.1.self_attn.in_proj_weight',
    'unknown layers.2.self_attn.in_proj_weight',
  ),
  dict(
    'with a layer that has no biases',
    'stack',
    { ...under('layers.0.', encoder), ...under('layers.1.', without(encoder, 'norm1.bias')) },
    invalid,
    'stateDict',
    'missing layers.1.norm1.bias',
  ),
  dict('with the bias of no norm', 'stack', without(stack, 'norm.weight'), invalid, 'stateDict', 'unknown norm.bias'),
  dict(
    'of an encoder and a decoder',
    'stack',
    { ...under('encoder.', stack), ...under('decoder.', stack) },
    invalid,
    'stateDict',
    "'encoder.'",
    "'decoder.'",
  ),
  dict(
    'with a name beside its prefix',
    'stack',
    { ...under('module.', stack), 'embedding.weight': f32(9, 16) },
    invalid,
    'stateDict',
    'unknown embedding.weight',
  ),
  dict(
    'of other rows',
    'layer',
    { ...encoder, 'self_attn.in_proj_weight': f32(32, 16) },
    shape,
    'stateDict.self_attn.in_proj_weight',
    '[32,16]',
    '[48,16]',
  ),
  dict(
    'under a prefix, of other sizes',
    'stack',
    under('module.', { ...stack, 'layers.1.linear2.weight': f32(16, 21) }),
    shape,
    'stateDict.module.layers.1.linear2.weight',
    '[16,21]',
    '[16,20]',
  ),
  dict('with a norm of E + 1', 'stack', { ...stack, 'norm.bias': f32(17) }, shape, 'stateDict.norm.bias', 17, 16),
  dict('of a flat matrix', 'layer', { ...encoder, 'linear1.weight': f32(320) }, shape, 'stateDict.linear1.weight', 320),
  dict('of no size', 'layer', { ...encoder, 'linear1.weight': f32(20, 0) }, shape, 'stateDict.linear1.weight', 0),
  dict(
    'of integers',
    'layer',
    { ...encoder, 'norm1.weight': int64(16) },
    dtype,
    'stateDict.norm1.weight',
    'int64',
    'float32',
  ),
  dict('with a number', 'layer', { ...encoder, 'norm1.weight': 1 }, invalid, 'stateDict.norm1.weight', 1),
  dict(
    'of what is no more',
    'stack',
    (e: Attention) => ({ ...stack, 'layers.1.norm1.weight': gone(e, 16) }),
    'DISPOSED',
    'stateDict.layers.1.norm1.weight',
  ),
  dict(
    'of an array that went elsewhere',
    'layer',
    { ...encoder, 'linear2.bias': detached(16) },
    shape,
    'stateDict.linear2.bias',
  ),
];

const [x, memory] = [f32(2, 3, 16), f32(2, 5, 16)];
const encode = (what: string, args: unknown[] | ((e: Attention) => unknown[]), ...expected: Tail): Wrong => [
  `forward of an encoder ${what}`,
  (e) => {
    using layer = transformerEncoder(e, sizes, stack);
    return layer.forward(...(any(typeof args === 'function' ? args(e) : args) as [never]));
  },
  ...expected,
];
const decode = (what: string, args: unknown[] | ((e: Attention) => unknown[]), ...expected: Tail): Wrong => [
  `forward of a decoder ${what}`,
  (e) => {
    using layer = transformerDecoderLayer(e, sizes, decoder);
    return layer.forward(...(any(typeof args === 'function' ? args(e) : args) as [never, never]));
  },
  ...expected,
];
type Tail = [code: AttentionErrorCode, argument: Argument, ...says: Says];

const forwards: Wrong[] = [
  encode('of nothing', [], invalid, 'x', 'undefined'),
  encode('of rank 1', [f32(16)], shape, 'x', '[16]'),
  encode('of rank 4', [f32(1, 2, 3, 16)], shape, 'x', '[1,2,3,16]'),
  encode('of another width', [f32(3, 15)], shape, 'x', 15, 16),
  encode('of integers', [int64(3, 16)], dtype, 'x', 'int64', 'float32'),
  encode('of what is no more', (e) => [gone(e, 3, 16)], 'DISPOSED', 'x'),
  encode('with a memory', [x, memory], invalid, 'options.data'),
  encode('with a memoryMask', [x, { memoryMask: f32(3, 5) }], invalid, 'options.memoryMask', 'attentionMask'),
  encode('with numHeads', [x, { numHeads: 4 }], invalid, 'options.numHeads'),
  encode('with src_mask', [x, { src_mask: f32(3, 3) }], invalid, 'options.src_mask'),
  encode('with weights of scores', [x, { weights: 'scores' }], invalid, 'options.weights', "'scores'"),
  encode('with causal of 1', [x, { causal: 1 }], invalid, 'options.causal', 1),
  encode('with a mask of other heads', [x, { mask: f32(2, 3, 3) }], shape, 'options.mask', 2, 4),
  encode('with a float attentionMask', [x, { attentionMask: f32(2, 3) }], dtype, 'options.attentionMask', 'float32'),
  encode('with a mask that is no more', (e) => [x, { mask: gone(e, 3, 3) }], 'DISPOSED', 'options.mask'),
  encode('with a number for mask', [x, { mask: 1 }], invalid, 'options.mask', 1),
  encode('into another size', [x, { out: new Float32Array(95) }], shape, 'options.out', 95, 96),
  encode('into doubles', [x, { out: new Float64Array(96) }], invalid, 'options.out', 'Float64Array'),
  encode('into what is no more', (e) => [x, { out: gone(e, 2, 3, 16) }], 'DISPOSED', 'options.out'),
  decode('without memory', [x], invalid, 'memory', 'undefined'),
  decode('with options for memory', [x, { causal: true }], invalid, 'memory', 'tensor'),
  decode('with a memory of another batch', [x, f32(3, 5, 16)], shape, 'memory', 3, 2),
  decode('with a memory of another rank', [x, f32(5, 16)], shape, 'memory', '[5,16]'),
  decode('with a memory of another width', [x, f32(2, 5, 8)], shape, 'memory', 8, 16),
  decode('with a memory that is no more', (e) => [x, gone(e, 2, 5, 16)], 'DISPOSED', 'memory'),
  decode('with a mask for memory', [x, memory, { mask: f32(3, 5) }], shape, 'options.mask', '[3,5]'),
  decode('with a memoryMask of x', [x, memory, { memoryMask: f32(4, 5) }], shape, 'options.memoryMask', '[4,5]'),
  decode(
    'with a memoryAttentionMask of x',
    [x, memory, { memoryAttentionMask: int64(2, 3) }],
    shape,
    'options.memoryAttentionMask',
    '[2,3]',
  ),
  decode(
    'with a memoryMask that is no more',
    (e) => [x, memory, { memoryMask: gone(e, 3, 5) }],
    'DISPOSED',
    'options.memoryMask',
  ),
];

export const wrongTransformers: readonly Wrong[] = [...configs, ...dicts, ...forwards];
