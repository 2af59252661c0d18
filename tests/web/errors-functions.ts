import type { Attention, AttentionErrorCode } from 'attention-wasm';
import { any, bool, dtype, f32, invalid, shape, type Wrong } from './wrong-calls.ts';

type Says = (string | number | RegExp)[];
type Argument = string | RegExp;
export const int64 = (...axes: number[]) => ({ data: new BigInt64Array(axes.reduce((a, b) => a * b, 1)), shape: axes });
/** A tensor that is no more. */
export const gone = (e: Attention, ...axes: number[]) => {
  const tensor = e.tensor(f32(...axes));
  tensor.dispose();
  return tensor;
};

const norm = (what: string, options: object, argument: Argument, ...says: Says): Wrong => [
  `rmsNorm ${what}`,
  (e) => e.rmsNorm(f32(3, 4), f32(4), any(options)),
  invalid,
  argument,
  ...says,
];
const norms: Wrong[] = [
  ['rmsNorm of nothing', (e) => e.rmsNorm(any(undefined)), invalid, 'x', 'undefined'],
  ['rmsNorm of a scalar', (e) => e.rmsNorm(f32()), shape, 'x', '[]'],
  ['rmsNorm of int64', (e) => e.rmsNorm(int64(3)), dtype, 'x', 'int64', 'float32'],
  ['rmsNorm of what is no more', (e) => e.rmsNorm(gone(e, 3)), 'DISPOSED', 'x'],
  ['rmsNorm with a weight of another size', (e) => e.rmsNorm(f32(3, 4), f32(5)), shape, 'weight', 5, 4],
  ['rmsNorm with a weight of rank 2', (e) => e.rmsNorm(f32(3, 4), f32(3, 4)), shape, 'weight', '[3,4]', '[4]'],
  ['rmsNorm with a weight of bools', (e) => e.rmsNorm(f32(3, 4), bool(4)), dtype, 'weight', 'bool', 'float32'],
  ['rmsNorm with a weight that is no more', (e) => e.rmsNorm(f32(3, 4), gone(e, 4)), 'DISPOSED', 'weight'],
  ['rmsNorm with a weight that is a number', (e) => e.rmsNorm(f32(3, 4), any(1)), invalid, 'weight', 1],
  norm('over axis 2 of 2', { axis: 2 }, 'options.axis', 2),
  norm('over axis −3 of 2', { axis: -3 }, 'options.axis', -3),
  norm('over axis NaN', { axis: NaN }, 'options.axis', 'NaN'),
  norm('with epsilon −1', { epsilon: -1 }, 'options.epsilon', -1),
  norm('with epsilon NaN', { epsilon: NaN }, 'options.epsilon', 'NaN'),
  norm('with epsilon as text', { epsilon: '1e-5' }, 'options.epsilon', '1e-5'),
  norm('with eps', { eps: 1e-5 }, 'options.eps'),
  [
    'rmsNorm into another size',
    (e) => e.rmsNorm(f32(3, 4), null, { out: new Float32Array(11) }),
    shape,
    'options.out',
    11,
    12,
  ],
];

const activations: Wrong[] = [
  ['silu of nothing', (e) => e.silu(any(undefined)), invalid, 'x', 'undefined'],
  ['silu of bools', (e) => e.silu(bool(3)), dtype, 'x', 'bool', 'float32'],
  ['silu of what is no more', (e) => e.silu(gone(e, 3)), 'DISPOSED', 'x'],
  ['silu with a key of gelu', (e) => e.silu(f32(3), any({ approximate: 'tanh' })), invalid, 'options.approximate'],
  [
    'silu into doubles',
    (e) => e.silu(f32(3), any({ out: new Float64Array(3) })),
    invalid,
    'options.out',
    'Float64Array',
  ],
  ['relu with a key of silu', (e) => e.relu(f32(3), any({ inplace: true })), invalid, 'options.inplace'],
  ['relu of a number', (e) => e.relu(any(3)), invalid, 'x', 3],
  ['relu of integers', (e) => e.relu({ data: new Int32Array(3), shape: [3] }), dtype, 'x', 'int32', 'float32'],
  ['relu into another size', (e) => e.relu(f32(3), { out: new Float32Array(4) }), shape, 'options.out', 4, 3],
  ['relu with options that are a number', (e) => e.relu(f32(3), any(1)), invalid, 'options', 1],
  [
    'gelu approximated by true',
    (e) => e.gelu(f32(3), any({ approximate: true })),
    invalid,
    'options.approximate',
    'tanh',
  ],
  [
    'feedForward by gelu-tanh',
    (e) => e.feedForward(f32(3, 4), { up: f32(8, 4), down: f32(4, 8) }, any({ activation: 'gelu-tanh' })),
    invalid,
    'options.activation',
    'gelu-tanh',
    'gelu_tanh',
    'silu',
  ],
  [
    'feedForward with a gateBias but no gate',
    (e) => e.feedForward(f32(3, 4), { up: f32(8, 4), down: f32(4, 8), gateBias: f32(8) }),
    invalid,
    /^weights\.gate(Bias)?$/,
    'gate',
  ],
];

const slopes: Wrong[] = [0, -1, 1.5, NaN, Infinity, '8', undefined, null, 2 ** 40].map((n) => [
  `alibiSlopes of ${typeof n} ${n}`,
  (e) => e.alibiSlopes(any(n)),
  invalid,
  'numHeads',
  String(n),
]);

const rot = (what: string, options: object, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong => [
  `rotaryEmbedding ${what}`,
  (e) => e.rotaryEmbedding(f32(2, 3, 8), any(options)),
  code,
  argument,
  ...says,
];
const tables = (...axes: number[]) => ({ cos: f32(...axes), sin: f32(...axes) });
const rotary: Wrong[] = [
  ['rotaryEmbedding of nothing', (e) => e.rotaryEmbedding(any(undefined)), invalid, 'x', 'undefined'],
  ['rotaryEmbedding of rank 1', (e) => e.rotaryEmbedding(f32(8)), shape, 'x', '[8]'],
  ['rotaryEmbedding of rank 5', (e) => e.rotaryEmbedding(f32(1, 1, 1, 3, 8)), shape, 'x', '[1,1,1,3,8]'],
  ['rotaryEmbedding of an odd head size', (e) => e.rotaryEmbedding(f32(3, 7)), shape, 'x', '[3,7]', 'even'],
  ['rotaryEmbedding of integers', (e) => e.rotaryEmbedding(int64(3, 8)), dtype, 'x', 'int64', 'float32'],
  ['rotaryEmbedding of what is no more', (e) => e.rotaryEmbedding(gone(e, 3, 8)), 'DISPOSED', 'x'],
  [
    'rotaryEmbedding of an unlike H',
    (e) => e.rotaryEmbedding(f32(1, 2, 3, 8), { numHeads: 3 }),
    invalid,
    'options.numHeads',
    3,
    2,
  ],
  [
    'rotaryEmbedding into itself moved',
    (e) => {
      const memory = new Float32Array(32);
      return e.rotaryEmbedding({ data: memory.subarray(0, 24), shape: [3, 8] }, { out: memory.subarray(8) });
    },
    invalid,
    'options.out',
    'x',
  ],
  rot('with heads that do not divide', { numHeads: 3 }, shape, /^(x|options\.numHeads)$/, 8, 3),
  rot('with 0 heads', { numHeads: 0 }, invalid, 'options.numHeads', 0),
  rot('in an unknown layout', { layout: 'SBHD' }, invalid, 'options.layout', 'SBHD', 'BSHD'),
  ...[
    { type: 'linear', factor: 5e-324 },
    { type: 'llama3', factor: 5e-324, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 1 },
    { type: 'yarn', factor: 5e-324, originalContext: 1, attentionFactor: 1 },
  ].map((scaling) =>
    rot(`with a ${scaling.type} factor past all frequencies`, { scaling }, invalid, /^options\.scaling(\.factor)?$/),
  ),
  [
    'rotaryEmbedding with a base past all frequencies',
    (e) => e.rotaryEmbedding(f32(3, 128), { base: 5e-324 }),
    invalid,
    'options.base',
  ],
  rot('with dims 3', { dims: 3 }, invalid, 'options.dims', 3, 'even'),
  rot('with dims 0', { dims: 0 }, invalid, 'options.dims', 0),
  rot('with dims 10 of 8', { dims: 10 }, invalid, 'options.dims', 10, 8),
  rot('with dims −2', { dims: -2 }, invalid, 'options.dims', -2),
  rot('with dims NaN', { dims: NaN }, invalid, 'options.dims', 'NaN'),
  rot('with dims as text', { dims: '4' }, invalid, 'options.dims', "'4'"),
  rot('with base 0', { base: 0 }, invalid, 'options.base', 0),
  rot('with base −10', { base: -10 }, invalid, 'options.base', -10),
  rot('with base NaN', { base: NaN }, invalid, 'options.base', 'NaN'),
  rot('with base ∞', { base: Infinity }, invalid, 'options.base', 'Infinity'),
  rot('interleaved by 1', { interleaved: 1 }, invalid, 'options.interleaved', 1),
  rot('with theta', { theta: 10000 }, invalid, 'options.theta', 'base'),
  rot('at a single position', { positions: 3 }, invalid, 'options.positions', 3),
  rot('at too few positions', { positions: [1, 2] }, shape, 'options.positions', 2, 3),
  rot('at position 0.5', { positions: [0, 0.5, 1] }, invalid, 'options.positions', '0.5'),
  rot('at position NaN', { positions: [0, NaN, 1] }, invalid, 'options.positions', 'NaN'),
  rot('at position 2⁴⁰', { positions: [0, 2 ** 40, 1] }, invalid, 'options.positions', 2 ** 40),
  rot('at positions in words', { positions: ['a', 'b', 'c'] }, invalid, 'options.positions', 'a'),
  rot('with cos alone', { cos: f32(3, 4) }, invalid, /^options\.(cos|sin)$/, 'sin', 'cos'),
  rot('with sin alone', { sin: f32(3, 4) }, invalid, /^options\.(cos|sin)$/, 'sin', 'cos'),
  rot('with cos and a base', { ...tables(3, 4), base: 10000 }, invalid, /^options\.(cos|base)$/, 'base', 'cos'),
  rot(
    'with cos and a scaling',
    { ...tables(3, 4), scaling: { type: 'linear', factor: 2 } },
    invalid,
    /^options\.(cos|scaling)$/,
    'scaling',
    'cos',
  ),
  rot('with doubled cos', tables(3, 8), shape, 'options.cos', 8, 4),
  rot('with cos of another length', tables(5, 4), shape, 'options.cos', 5, 3),
  rot('with cos of rank 1', tables(4), shape, 'options.cos', '[4]'),
  rot('with cos for another batch', tables(2, 3, 4), shape, 'options.cos', 2, 1),
  rot('with sin unlike cos', { cos: f32(3, 4), sin: f32(3, 3) }, shape, 'options.sin', 3, 4),
  rot('with cos of integers', { cos: int64(3, 4), sin: f32(3, 4) }, dtype, 'options.cos', 'int64', 'float32'),
  rot('past the caches', { ...tables(20, 4), positions: [0, 20, 1] }, invalid, 'options.positions', 20, 19),
  rot('before the caches', { ...tables(20, 4), positions: [0, -1, 1] }, invalid, 'options.positions', -1),
  rot('with caches of rank 3', { ...tables(1, 20, 4), positions: [0, 1, 2] }, shape, 'options.cos', '[1,20,4]'),
];

const scaled = (scaling: unknown, argument: Argument, ...says: Says): Wrong =>
  rot(`scaled by ${JSON.stringify(scaling)}`, { scaling }, invalid, argument, ...says);
const llama = { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 };
const yarn = { type: 'yarn', factor: 8, originalContext: 4096 };
const scalings: Wrong[] = [
  scaled('linear', 'options.scaling', 'linear'),
  scaled({ factor: 2 }, 'options.scaling.type', 'undefined', 'linear'),
  scaled({ type: 'dynamic', factor: 2 }, 'options.scaling.type', 'dynamic', 'yarn'),
  scaled({ type: 'linear' }, 'options.scaling.factor', 'undefined'),
  scaled({ type: 'linear', factor: 0 }, 'options.scaling.factor', 0),
  scaled({ type: 'linear', factor: -2 }, 'options.scaling.factor', -2),
  scaled({ type: 'linear', factor: '2' }, 'options.scaling.factor', "'2'"),
  scaled({ type: 'linear', factor: 2, originalContext: 8 }, 'options.scaling.originalContext'),
  scaled({ ...llama, lowFreqFactor: undefined }, 'options.scaling.lowFreqFactor', 'undefined'),
  scaled({ ...llama, highFreqFactor: 0 }, 'options.scaling.highFreqFactor', 0),
  scaled({ ...llama, highFreqFactor: 1 }, /^options\.scaling\.(low|high)FreqFactor$/, 1),
  scaled({ ...llama, originalContext: -1 }, 'options.scaling.originalContext', -1),
  scaled({ ...yarn, originalContext: undefined }, 'options.scaling.originalContext', 'undefined'),
  scaled({ ...yarn, betaFast: 0 }, 'options.scaling.betaFast', 0),
  scaled({ ...yarn, attentionFactor: 'big' }, 'options.scaling.attentionFactor', 'big'),
  scaled({ ...yarn, beta_fast: 32 }, 'options.scaling.beta_fast', 'betaFast'),
];

const linear = (what: string, options: object, argument: Argument, ...says: Says): Wrong => [
  `linearAttention ${what}`,
  (e) => e.linearAttention(f32(2, 3, 4), f32(2, 5, 4), f32(2, 5, 6), any(options)),
  invalid,
  argument,
  ...says,
];
const of = (q: unknown, k: unknown, v: unknown) => (e: Attention) => e.linearAttention(any(q), any(k), any(v));
const linears: Wrong[] = [
  ['linearAttention of nothing', of(undefined, f32(5, 4), f32(5, 4)), invalid, 'q', 'undefined'],
  ['linearAttention without v', of(f32(3, 4), f32(5, 4), undefined), invalid, 'v', 'undefined'],
  ['linearAttention of rank 1', of(f32(4), f32(5, 4), f32(5, 4)), shape, 'q', '[4]'],
  ['linearAttention with other head sizes', of(f32(3, 4), f32(5, 7), f32(5, 4)), shape, 'k', 7, 4],
  ['linearAttention with other lengths', of(f32(3, 4), f32(5, 4), f32(6, 4)), shape, 'v', 6, 5],
  ['linearAttention with other heads', of(f32(3, 2, 4), f32(2, 5, 4), f32(2, 5, 4)), shape, /^[qk]$/, 3, 2],
  ['linearAttention of integers', of(f32(3, 4), int64(5, 4), f32(5, 4)), dtype, 'k', 'int64', 'float32'],
  ['linearAttention of what is no more', (e) => of(f32(3, 4), f32(5, 4), gone(e, 5, 4))(e), 'DISPOSED', 'v'],
  linear('by an unknown map', { featureMap: 'softmax' }, 'options.featureMap', 'softmax', 'elu+1'),
  linear('causal at the lower right', { causal: 'lower-right' }, 'options.causal', 'lower-right'),
  linear('with a scale', { scale: 1 }, 'options.scale'),
  linear('with key heads alone', { numKvHeads: 2 }, 'options.numKvHeads', 'numHeads'),
];

const roll = (what: string, layers: unknown, code: AttentionErrorCode, argument: Argument, ...says: Says): Wrong => [
  `attentionRollout of ${what}`,
  (e) => e.attentionRollout(any(layers)),
  code,
  argument,
  ...says,
];
const fused = (options: object) => (e: Attention) => e.attentionRollout([f32(2, 3, 3)], any(options));
const rollouts: Wrong[] = [
  roll('nothing', undefined, invalid, 'layers', 'undefined'),
  roll('no layers', [], invalid, 'layers', /empty|least|0/),
  roll('a tensor', f32(2, 3, 3), invalid, 'layers'),
  roll('a hole', [undefined], invalid, /^layers/, 'undefined'),
  roll('rank 2', [f32(3, 3)], shape, /^layers/, '[3,3]'),
  roll('what is not square', [f32(2, 3, 4)], shape, /^layers/, '[2,3,4]'),
  roll('unlike layers', [f32(2, 3, 3), f32(2, 4, 4)], shape, /^layers/, '[2,4,4]', '[2,3,3]'),
  roll('unlike ranks', [f32(2, 3, 3), f32(1, 2, 3, 3)], shape, /^layers/, '[1,2,3,3]', '[2,3,3]'),
  roll('integers', [int64(2, 3, 3)], dtype, /^layers/, 'int64', 'float32'),
  [
    'attentionRollout of what is no more',
    (e) => e.attentionRollout([f32(1, 2, 2), gone(e, 1, 2, 2)]),
    'DISPOSED',
    /^layers/,
  ],
  ['attentionRollout by sum', fused({ headFusion: 'sum' }), invalid, 'options.headFusion', 'sum', 'mean'],
  ['attentionRollout with residual 1', fused({ residual: 1 }), invalid, 'options.residual', 1],
  ['attentionRollout with discardRatio', fused({ discardRatio: 0.9 }), invalid, 'options.discardRatio'],
];

export const wrongFunctions: readonly Wrong[] = [
  ...norms,
  ...activations,
  ...slopes,
  ...rotary,
  ...scalings,
  ...linears,
  ...rollouts,
];
