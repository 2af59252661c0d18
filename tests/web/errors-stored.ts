import type { Attention } from 'attention-wasm';
import type { Plain } from './random.ts';
import { any, bool, dtype, f32, type Inputs, invalid, sdpa, shape, type Wrong } from './wrong-calls.ts';

const int8 = (...axes: number[]): Plain => ({ data: new Int8Array(axes.reduce((a, b) => a * b, 1)), shape: axes });
const half = (...axes: number[]): Plain => ({
  data: new Uint16Array(axes.reduce((a, b) => a * b, 1)),
  shape: axes,
  dtype: 'float16',
});

// 2 batches, 6 heads over 3 key heads, 4 queries and 5 keys.
const q = f32(2, 6, 4, 8);
const [k, v] = [int8(2, 3, 5, 8), int8(2, 3, 5, 16)];
const scales = f32(2, 3, 5);
const stored = (options: object, inputs: Inputs = [q, k, v]) =>
  sdpa({ keyScales: scales, valueScales: scales, ...options }, inputs);

const types: Wrong[] = [
  ['q of int8', sdpa({}, [int8(4, 8), f32(6, 8), f32(6, 8)]), dtype, 'q', 'int8', 'float32'],
  ['k of int8 without scales', stored({ keyScales: undefined }), dtype, 'k', 'int8', 'scales'],
  ['v of int8 without scales', stored({ valueScales: undefined }), dtype, 'v', 'int8', 'scales'],
  ['k of int32', stored({}, [q, { data: new Int32Array(240), shape: k.shape }, v]), dtype, 'k', 'int32', 'float16'],
  ['v of bool', stored({}, [q, k, bool(2, 3, 5, 16)]), dtype, 'v', 'bool', 'float16'],
  ['scales of k for float32', stored({}, [q, f32(2, 3, 5, 8), v]), invalid, 'options.keyScales', 'float32', 'int8'],
  ['scales of k for float16', stored({}, [q, half(2, 3, 5, 8), v]), invalid, 'options.keyScales', 'float16', 'int8'],
  ['scales of v for float32', stored({}, [q, k, f32(2, 3, 5, 16)]), invalid, 'options.valueScales', 'float32', 'int8'],
  ['scales of v for float16', stored({}, [q, k, half(2, 3, 5, 16)]), invalid, 'options.valueScales', 'float16', 'int8'],
];

/** What goes wrong with either tensor of scales. */
const factors = (name: 'keyScales' | 'valueScales'): Wrong[] => {
  const argument = `options.${name}`;
  const given = (value: unknown) => stored({ [name]: value });
  return [
    [`${name} a number`, given(0.5), invalid, argument, '0.5'],
    [`${name} null`, given(null), invalid, argument, 'null'],
    [`${name} without a shape`, given({ data: new Float32Array(30) }), invalid, argument, 'shape'],
    [`${name} of query heads`, given(f32(2, 6, 5)), shape, argument, '[2,6,5]', '[2,3,5]'],
    [`${name} of another batch`, given(f32(1, 3, 5)), shape, argument, '[1,3,5]', '[2,3,5]'],
    [`${name} of other keys`, given(f32(2, 3, 6)), shape, argument, '[2,3,6]', '[2,3,5]'],
    [`${name} in the order of tokens`, given(f32(2, 5, 3)), shape, argument, '[2,5,3]', '[2,3,5]'],
    [`${name} per key alone`, given(f32(5)), shape, argument, '[5]', '[2,3,5]'],
    [`${name} with an axis of 1`, given(f32(2, 3, 5, 1)), shape, argument, '[2,3,5,1]', '[2,3,5]'],
    [`${name} of int8`, given(int8(2, 3, 5)), dtype, argument, 'int8', 'float32'],
    [`${name} of int32`, given({ data: new Int32Array(30), shape: [2, 3, 5] }), dtype, argument, 'int32', 'float32'],
    [`${name} of bool`, given(bool(2, 3, 5)), dtype, argument, 'bool', 'float32'],
    [
      `${name} disposed`,
      (e) => {
        const gone = e.tensor(scales);
        gone.dispose();
        return given(gone)(e);
      },
      'DISPOSED',
      argument,
    ],
    [
      `out over ${name}`,
      (e) => {
        const out = new Float32Array(2 * 6 * 4 * 16);
        return stored({ [name]: { data: out.subarray(-30), shape: [2, 3, 5] }, out })(e);
      },
      invalid,
      'options.out',
      'overlap',
    ],
  ];
};

const starts = { cuSeqlensQ: [0, 4], cuSeqlensKv: [0, 5] };
const packed = (key: Plain, options: object) => (e: Attention) =>
  e.variableLengthAttention(f32(4, 1, 8), key, f32(5, 1, 8), any({ ...starts, ...options }));
const square = f32(8, 8);
const self = (options: object) => (e: Attention) =>
  e.selfAttention(f32(3, 8), { query: square, key: square, value: square }, any(options));
const layer = (options: object) => (e: Attention) =>
  e
    .multiHeadAttention({ embedDim: 8, numHeads: 1 }, { in_proj_weight: f32(24, 8), 'out_proj.weight': square })
    .forward(f32(3, 8), any(options));
const linear = (key: Plain, value: Plain, options: object) => (e: Attention) =>
  e.linearAttention(f32(4, 8), key, value, any(options));
const elsewhere: Wrong[] = [
  ['variableLengthAttention, k of int8', packed(int8(5, 1, 8), {}), dtype, 'k', 'int8'],
  ...(['keyScales', 'valueScales'] as const).flatMap((name): Wrong[] => [
    [
      `variableLengthAttention with ${name}`,
      packed(int8(5, 1, 8), { [name]: f32(1, 1, 5) }),
      invalid,
      `options.${name}`,
      'packed',
    ],
    [`selfAttention with ${name}`, self({ [name]: f32(1, 1, 3) }), invalid, `options.${name}`, 'float32', 'int8'],
    [`multiHeadAttention with ${name}`, layer({ [name]: f32(1, 1, 3) }), invalid, `options.${name}`, 'float32', 'int8'],
    [
      `linearAttention with ${name}`,
      linear(f32(5, 8), f32(5, 8), { [name]: f32(1, 1, 5) }),
      invalid,
      `options.${name}`,
    ],
  ]),
  ['linearAttention, k of int8', linear(int8(5, 8), f32(5, 8), {}), dtype, 'k', 'int8', 'float32'],
  ['linearAttention, v of int8', linear(f32(5, 8), int8(5, 8), {}), dtype, 'v', 'int8', 'float32'],
  ['attentionMap, k of int8', (e) => e.attentionMap(f32(4, 8), int8(5, 8)), dtype, 'k', 'int8', 'scales'],
  [
    'attentionMap with scales of another shape',
    (e) => e.attentionMap(f32(4, 8), int8(5, 8), { keyScales: f32(5) }),
    shape,
    'options.keyScales',
    '[5]',
    '[1,1,5]',
  ],
  [
    'attentionMap with scales of values',
    (e) => e.attentionMap(f32(4, 8), int8(5, 8), { keyScales: f32(1, 1, 5), valueScales: f32(1, 1, 5) }),
    invalid,
    'options.valueScales',
  ],
];

export const wrongStored: readonly Wrong[] = [
  ...types,
  ...factors('keyScales'),
  ...factors('valueScales'),
  ...elsewhere,
];
