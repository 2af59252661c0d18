import { type Attention, masks } from 'attention-wasm';
import type { Plain } from './random.ts';
import { any, bool, detached, dtype, f32, invalid, sdpa, shape, type Wrong } from './wrong-calls.ts';

// sdpa() has 2 batches, 3 heads, 4 queries and 6 keys.
const disposed = (e: Attention) => {
  const tensor = e.tensor(f32(3));
  tensor.dispose();
  return tensor;
};
const ints = (...sizes: number[]): Plain => ({ data: new Int32Array(sizes.reduce((a, b) => a * b, 1)), shape: sizes });

const windows: Wrong[] = [
  ['window a number', sdpa({ window: 3 }), invalid, 'options.window', 3],
  ['window as text', sdpa({ window: '1,1' }), invalid, 'options.window', '1,1'],
  ['window true', sdpa({ window: true }), invalid, 'options.window', 'true'],
  ['window an object', sdpa({ window: { left: 1, right: 1 } }), invalid, 'options.window'],
  ['window of nothing', sdpa({ window: [] }), invalid, /^options\.window/],
  ['window of one', sdpa({ window: [1] }), invalid, /^options\.window/],
  ['window of three', sdpa({ window: [1, 2, 3] }), invalid, /^options\.window/, 3],
  ['window [−2, 0]', sdpa({ window: [-2, 0] }), invalid, /^options\.window/, -2, -1],
  ['window [0, −2]', sdpa({ window: [0, -2] }), invalid, /^options\.window/, -2, -1],
  ['window [0.5, 0]', sdpa({ window: [0.5, 0] }), invalid, /^options\.window/, '0.5'],
  ['window [0, NaN]', sdpa({ window: [0, NaN] }), invalid, /^options\.window/, 'NaN'],
  ['window [∞, 0]', sdpa({ window: [Infinity, 0] }), invalid, /^options\.window/, 'Infinity'],
  ['window [0, −∞]', sdpa({ window: [0, -Infinity] }), invalid, /^options\.window/, '-Infinity'],
  ['window of texts', sdpa({ window: ['1', '1'] }), invalid, /^options\.window/, '1'],
  ['window with a hole', sdpa({ window: [undefined, 0] }), invalid, /^options\.window/, 'undefined'],
  ['window with null', sdpa({ window: [0, null] }), invalid, /^options\.window/, 'null'],
];

const softcaps: Wrong[] = [
  ['softcap −1', sdpa({ softcap: -1 }), invalid, 'options.softcap', -1],
  ['softcap −1e-30', sdpa({ softcap: -1e-30 }), invalid, 'options.softcap', '-1e-30'],
  ['softcap NaN', sdpa({ softcap: NaN }), invalid, 'options.softcap', 'NaN'],
  ['softcap ∞', sdpa({ softcap: Infinity }), invalid, 'options.softcap', 'Infinity'],
  ['softcap −∞', sdpa({ softcap: -Infinity }), invalid, 'options.softcap', '-Infinity'],
  ['softcap past float32', sdpa({ softcap: 1e39 }), invalid, 'options.softcap', '1e+39'],
  ['softcap as text', sdpa({ softcap: '30' }), invalid, 'options.softcap', '30'],
  ['softcap true', sdpa({ softcap: true }), invalid, 'options.softcap', 'true'],
  ['softcap per head', sdpa({ softcap: [30, 30, 30] }), invalid, 'options.softcap'],
  ['softcap a bigint', sdpa({ softcap: 30n }), invalid, 'options.softcap', '30'],
];

/** What goes wrong with a tensor of one float per head. */
const perHead = (name: 'alibi' | 'sinks'): Wrong[] => {
  const given = (value: unknown) => sdpa({ [name]: value });
  const argument = `options.${name}`;
  return [
    [`${name} a number`, given(1), invalid, argument, 1],
    [`${name} as text`, given('true'), invalid, argument, 'true'],
    [`${name} a bare array`, given([1, 2, 3]), invalid, argument],
    [`${name} bare floats`, given(new Float32Array(3)), invalid, argument, /shape|dims/],
    [`${name} a function`, given(() => 1), invalid, argument, 'function'],
    [`${name} without data`, given({ shape: [3] }), invalid, argument, 'data'],
    [`${name} without a shape`, given({ data: new Float32Array(3) }), invalid, argument, 'shape'],
    [`${name} of two heads`, given(f32(2)), shape, argument, 2, 3],
    [`${name} of four heads`, given(f32(4)), shape, argument, 4, 3],
    [`${name} of one head`, given(f32(1)), shape, argument, 1, 3],
    [`${name} of no head`, given(f32(0)), shape, argument, 0, 3],
    [`${name} of rank 0`, given(f32()), shape, argument, '[]', 3],
    [`${name} of rank 2`, given(f32(1, 3)), shape, argument, '[1,3]', 3],
    [`${name} per batch`, given(f32(2, 3)), shape, argument, '[2,3]', 3],
    [`${name} shorter than its shape`, given({ data: new Float32Array(2), shape: [3] }), shape, argument, 2, 3],
    [`${name} a stale view`, given(detached(3)), shape, argument, 0, 3],
    [`${name} of int32`, given(ints(3)), dtype, argument, 'int32', 'float'],
    [`${name} of int64`, given({ data: new BigInt64Array(3), shape: [3] }), dtype, argument, 'int', 'float'],
    [`${name} of bytes`, given({ data: new Uint8Array(3), shape: [3] }), dtype, argument, 'int', 'float'],
    [`${name} of bool`, given(bool(3)), dtype, argument, 'bool', 'float'],
    [`${name} of an unknown type`, given({ ...f32(3), dtype: 'bfloat16' }), dtype, argument, 'bfloat16'],
    [`${name} disposed`, (e) => given(disposed(e))(e), 'DISPOSED', argument],
    [
      `${name} of key heads`,
      sdpa({ [name]: f32(2), numHeads: 6, numKvHeads: 2 }, [f32(4, 24), f32(6, 8), f32(6, 8)]),
      shape,
      argument,
      2,
      6,
    ],
  ];
};

/** What is no rule, and what only an offset puts out of a rule's reach; errors-masks.ts has the rest. */
const rules: Wrong[] = [
  ['what only looks like a rule', sdpa({ mask: { and() {}, or() {}, not() {} } }), invalid, 'options.mask'],
  ['a list of rules', sdpa({ mask: [masks.causal()] }), invalid, 'options.mask'],
  ['mask true', sdpa({ mask: true }), invalid, 'options.mask', 'true'],
  ["mask 'causal'", sdpa({ mask: 'causal' }), invalid, 'options.mask', 'causal'],
  [
    'documents too short for one batch entry',
    sdpa({ mask: masks.documents([0, 0, 0, 1, 1, 1]), queryOffset: [0, 3] }),
    shape,
    'options.mask',
    6,
    7,
  ],
  [
    'blocks too few for the offset',
    sdpa({ mask: masks.blockSparse(bool(1, 1, 2, 3), 2), queryOffset: 2 }),
    shape,
    'options.mask',
    2,
    3,
  ],
];

/** What goes wrong elsewhere is told as it is without a rule, though the rule is compiled first. */
const rule = masks.causal().and(masks.slidingWindow(2, 2));
const besideRule: Wrong[] = [
  [
    'a rule beside offsets of another batch',
    sdpa({ mask: rule, queryOffset: [1, 2, 3] }),
    shape,
    'options.queryOffset',
    3,
    2,
  ],
  ['a rule beside a broken offset', sdpa({ mask: rule, queryOffset: [1, 0.5] }), invalid, 'options.queryOffset', '0.5'],
  ['a rule beside an offset of NaN', sdpa({ mask: rule, queryOffset: NaN }), invalid, 'options.queryOffset', 'NaN'],
  [
    'a rule beside an offset past int32',
    sdpa({ mask: rule, queryOffset: 2 ** 31 }),
    invalid,
    'options.queryOffset',
    2 ** 31,
  ],
  ['a rule beside an offset as text', sdpa({ mask: rule, queryOffset: '1' }), invalid, 'options.queryOffset', '1'],
  [
    "a rule beside queryOffset and 'lower-right'",
    sdpa({ mask: rule, queryOffset: 1, causal: 'lower-right' }),
    invalid,
    'options.queryOffset',
    'lower-right',
  ],
  ['a rule beside lengths of another batch', sdpa({ mask: rule, kvLengths: [1] }), shape, 'options.kvLengths', 1, 2],
  ['a rule beside lengths past the keys', sdpa({ mask: rule, kvLengths: [3, 7] }), invalid, 'options.kvLengths', 7, 6],
  ['a rule beside lengths below 0', sdpa({ mask: rule, kvLengths: [3, -1] }), invalid, 'options.kvLengths', -1],
  ['a rule beside lengths that are a number', sdpa({ mask: rule, kvLengths: 3 }), invalid, 'options.kvLengths', 3],
  ['a rule beside causal of another name', sdpa({ mask: rule, causal: 'left' }), invalid, 'options.causal', 'left'],
  ['a rule beside an unknown layout', sdpa({ mask: rule, layout: 'BHDS' }), invalid, 'options.layout', 'BHDS'],
  ['a rule beside numHeads −3', sdpa({ mask: rule, numHeads: -3 }), invalid, 'options.numHeads', -3],
  ['a rule beside numHeads NaN', sdpa({ mask: rule, numHeads: NaN }), invalid, 'options.numHeads', 'NaN'],
  ['a rule beside q of rank 1', sdpa({ mask: rule }, [f32(8), f32(6, 8), f32(6, 8)]), shape, 'q', '[8]'],
  [
    'a rule beside q of rank 5',
    sdpa({ mask: rule }, [f32(1, 1, 1, 4, 8), f32(6, 8), f32(6, 8)]),
    shape,
    'q',
    '[1,1,1,4,8]',
  ],
  [
    'a rule beside k of another rank',
    sdpa({ mask: rule }, [f32(4, 8), f32(1, 6, 8), f32(1, 6, 8)]),
    shape,
    'k',
    '[1,6,8]',
    2,
  ],
  [
    'a rule beside k of another batch',
    sdpa({ mask: rule }, [f32(2, 3, 4, 8), f32(5, 3, 6, 8), f32(5, 3, 6, 8)]),
    shape,
    'k',
    5,
    2,
  ],
  ...(['lower-right', true, false] as const).map(
    (causal): Wrong => [
      `documents beside lengths past the keys, causal ${causal}`,
      sdpa({ mask: masks.documents([0, 0, 0, 1, 1, 1]), causal, kvLengths: [6, 2 ** 31 - 1] }),
      invalid,
      'options.kvLengths',
      2 ** 31 - 1,
      6,
    ],
  ),
];

/** Where sizes contradict each other, a rule is not asked at all. */
const unasked = masks.fromFunction(() => {
  throw new Error('the rule was asked');
});
const sizes: Wrong[] = [
  [
    'a rule beside k of another head size',
    sdpa({ mask: unasked }, [f32(4, 8), f32(6, 7), f32(6, 8)]),
    shape,
    'k',
    7,
    8,
  ],
  ['a rule beside head sizes of 0', sdpa({ mask: unasked }, [f32(4, 0), f32(6, 0), f32(6, 8)]), shape, 'q', 0],
  [
    'a rule beside packed k of another head size',
    sdpa({ mask: unasked, numHeads: 4, numKvHeads: 2 }, [f32(4, 8), f32(6, 8), f32(6, 8)]),
    shape,
    'k',
    /./,
  ],
  [
    'a rule beside offsets of another batch',
    sdpa({ mask: unasked, queryOffset: [1, 2, 3] }),
    shape,
    'options.queryOffset',
    3,
    2,
  ],
  [
    'a rule beside lengths past the keys',
    sdpa({ mask: unasked, kvLengths: [3, 7] }),
    invalid,
    'options.kvLengths',
    7,
    6,
  ],
  [
    'a rule beside sequences past the queries',
    (e) =>
      e.variableLengthAttention(f32(4, 1, 8), f32(4, 1, 8), f32(4, 1, 8), {
        cuSeqlensQ: [0, 1e6],
        cuSeqlensKv: [0, 1e6],
        mask: unasked,
      }),
    shape,
    'options.cuSeqlensQ',
    1e6,
    4,
  ],
  [
    'a rule beside sequences past the keys',
    (e) =>
      e.variableLengthAttention(f32(4, 1, 8), f32(5, 1, 8), f32(5, 1, 8), {
        cuSeqlensQ: [0, 4],
        cuSeqlensKv: [0, 2 ** 28],
        mask: unasked,
      }),
    shape,
    'options.cuSeqlensKv',
    2 ** 28,
    5,
  ],
  [
    'a rule beside a map of another head size',
    (e) => e.attentionMap(f32(4, 8), f32(6, 7), { mask: unasked }),
    shape,
    'k',
    7,
    8,
  ],
];

/** Room for the output that something else of the call lives in. */
const onto = (name: string, share: (e: Attention) => { given: unknown; out: unknown }): Wrong => [
  `out over ${name}`,
  (e) => {
    const { given, out } = share(e);
    return sdpa({ [name]: given, out }, [f32(4, 8), f32(6, 8), f32(6, 6)])(e);
  },
  invalid,
  'options.out',
  'overlap',
];
const overlaps: Wrong[] = [
  onto('mask', () => {
    const given = f32(4, 6);
    return { given, out: given.data };
  }),
  onto('mask', (e) => {
    const given = e.tensor(f32(4, 6));
    return { given, out: given };
  }),
  ...['sinks', 'alibi'].map((name) =>
    onto(name, () => {
      const out = new Float32Array(24);
      return { given: { data: out.subarray(23), shape: [1] }, out };
    }),
  ),
];

/** null is no way to leave an option out. */
const options =
  'layout numHeads numKvHeads scale causal window queryOffset mask attentionMask softcap alibi sinks kvLengths weights logSumExp out';
const nulls = options
  .split(' ')
  .map((name): Wrong => [`${name} null`, sdpa({ [name]: null }), invalid, `options.${name}`, 'null']);

const square = f32(8, 8);
const projections = { query: square, key: square, value: square };
const self = (options: object) => (e: Attention) => e.selfAttention(f32(3, 8), projections, any(options));
const bags: Wrong[] = [
  [
    'options null',
    (e) => e.scaledDotProductAttention(f32(4, 8), f32(6, 8), f32(6, 8), any(null)),
    invalid,
    'options',
    'null',
  ],
  [
    'options as text',
    (e) => e.scaledDotProductAttention(f32(4, 8), f32(6, 8), f32(6, 8), any('causal')),
    invalid,
    'options',
    'causal',
  ],
  ['window [−2, 0] over projections', self({ window: [-2, 0] }), invalid, /^options\.window/, -2, -1],
  ['softcap NaN over projections', self({ softcap: NaN }), invalid, 'options.softcap', 'NaN'],
  ['sinks of two heads over projections', self({ sinks: f32(2) }), shape, 'options.sinks', 2, 1],
  ['alibi of int32 over projections', self({ alibi: ints(1) }), dtype, 'options.alibi', 'int32', 'float'],
  ['a rule that does not fit over projections', self({ mask: masks.keyPadding([1, 2]) }), shape, 'options.mask', 2, 1],
];

export const wrongOptions: readonly Wrong[] = [
  ...windows,
  ...softcaps,
  ...perHead('alibi'),
  ['alibi 0', sdpa({ alibi: 0 }), invalid, 'options.alibi', 0],
  ...perHead('sinks'),
  ['sinks true', sdpa({ sinks: true }), invalid, 'options.sinks', 'true'],
  ...rules,
  ...besideRule,
  ...sizes,
  ...overlaps,
  ...nulls,
  ...bags,
];
