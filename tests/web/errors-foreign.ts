import { type Attention, masks } from 'attention-wasm';
import { any, dtype, f32, invalid, of3, sdpa, shape, type Wrong } from './wrong-calls.ts';

/** What users of other libraries pass: their words for options, their arrays, and what they leave out. */

/** A key of other libraries, and what the error must say of it. */
const key = (name: string, ...says: (string | RegExp)[]): Wrong => [
  `the key ${name}`,
  sdpa({ [name]: true }),
  invalid,
  `options.${name}`,
  ...says,
];
const hint = (name: string, ours: string, ...says: (string | RegExp)[]): Wrong =>
  key(name, `(did you mean ${ours}?`, /^(?!.*wanted one of)/, ...says);
const keys: Wrong[] = [
  hint('attn_mask', 'mask'),
  hint('is_causal', 'causal'),
  hint('isCausal', 'causal'),
  hint('key_padding_mask', 'attentionMask', 'the opposite'),
  hint('need_weights', 'weights'),
  hint('needWeights', 'weights'),
  hint('output_attentions', 'weights'),
  hint('qk_matmul_output_mode', 'weights', "0 is 'scores'"),
  hint('q_num_heads', 'numHeads'),
  hint('kv_num_heads', 'numKvHeads'),
  hint('num_heads', 'numHeads'),
  hint('nhead', 'numHeads'),
  hint('heads', 'numHeads'),
  hint('log_sum_exp', 'logSumExp'),
  hint('return_lse', 'logSumExp'),
  hint('window_size', 'window'),
  hint('softmax_scale', 'scale'),
  hint('sm_scale', 'scale'),
  hint('alibi_slopes', 'alibi'),
  hint('bias', 'mask', 'Floats are added'),
  hint('segment_ids', 'mask', 'masks.documents'),
  hint('mask_mod', 'mask', 'masks.fromFunction'),
  hint('nonpad_kv_seqlen', 'kvLengths'),
  key('dropout_p', 'unknown key: there is no dropout'),
  key('enable_gqa', 'the shapes say'),
  key('batch_first', 'the batch always comes first'),
  key('past_key', 'kvCache()'),
  key('use_cache', 'kvCache()'),
  key('score_mod', 'no such function'),
  key('theta', 'wanted one of', / and 12 more$/),
  key('nonsense', 'wanted one of', / and 12 more$/),
];

const square = f32(4, 4);
/** The same words, by what other calls know. */
const otherKeys: Wrong[] = [
  ['layerNorm with eps', (e) => e.layerNorm(square, null, null, any({ eps: 1 })), invalid, 'options.eps', 'epsilon?'],
  ['softmax with dim', (e) => e.softmax(square, any({ dim: 0 })), invalid, 'options.dim', 'axis?'],
  [
    'softmax with is_causal',
    (e) => e.softmax(square, any({ is_causal: true })),
    invalid,
    'options.is_causal',
    'unknown key, wanted one of axis, out',
  ],
  ['relu with inplace', (e) => e.relu(square, any({ inplace: true })), invalid, 'options.inplace', 'Give out: x.'],
  ['rotary with theta', (e) => e.rotaryEmbedding(square, any({ theta: 1 })), invalid, 'options.theta', 'base?'],
  ['rotary with rope_theta', (e) => e.rotaryEmbedding(square, any({ rope_theta: 1 })), invalid, /theta/, 'base?'],
  [
    'rotary with position_ids',
    (e) => e.rotaryEmbedding(square, any({ position_ids: [1] })),
    invalid,
    /ids/,
    'positions?',
  ],
  ['kvCache with num_heads', (e) => e.kvCache(any({ num_heads: 1 })), invalid, 'config.num_heads', 'numKvHeads?'],
  ['kvCache with dim', (e) => e.kvCache(any({ dim: 8 })), invalid, 'config.dim', 'headDim?'],
  ['kvCache with max_seq_len', (e) => e.kvCache(any({ max_seq_len: 8 })), invalid, 'config.max_seq_len', 'capacity?'],
  [
    'multiHeadAttention with embed_dim',
    (e) => e.multiHeadAttention(any({ embed_dim: 8 }), {}),
    invalid,
    'config.embed_dim',
    'embedDim?',
  ],
  ['multiHeadAttention with nhead', (e) => e.multiHeadAttention(any({ nhead: 8 }), {}), invalid, /nhead/, 'numHeads?'],
  [
    'multiHeadAttention with dropout',
    (e) => e.multiHeadAttention(any({ embedDim: 8, numHeads: 2, dropout: 0.1 }), {}),
    invalid,
    'config.dropout',
    'no dropout',
  ],
  [
    'projections by their names in checkpoints',
    (e) => e.selfAttention(square, any({ q_proj: square, key: square, value: square })),
    invalid,
    'projections.q_proj',
    'query?',
  ],
  ['feedForward with up_proj', (e) => e.feedForward(square, any({ up_proj: square })), invalid, /up_proj/, 'up?'],
];

const values: Wrong[] = [
  ['zeros of f32', (e) => e.zeros([2], any('f32')), dtype, 'dtype', "'float32'?"],
  ['zeros of fp16', (e) => e.zeros([2], any('fp16')), dtype, 'dtype', "'float16'?"],
  ['a tensor of half', (e) => e.tensor(any({ ...square, dtype: 'half' })), dtype, 'data', "'float16'?"],
  ['a tensor of fp32', (e) => e.tensor(any({ ...square, dtype: 'fp32' })), dtype, 'data', "'float32'?"],
  ['a weight of q8', (e) => e.linearWeight(square, { dtype: any('q8') }), invalid, 'options.dtype', "'int8'?"],
  ['a layout of BSNH', sdpa({ layout: 'BSNH' }), invalid, 'options.layout', "'BSHD'?"],
  ['a layout of bhsd', sdpa({ layout: 'bhsd' }), invalid, 'options.layout', "'BHSD'?"],
  ['weights of mode 1', sdpa({ weights: 1 }), invalid, 'options.weights', "'softcapped'?"],
  ['weights of probs', sdpa({ weights: 'probs' }), invalid, 'options.weights', "'probabilities'?"],
  ["causal 'true'", sdpa({ causal: 'true' }), invalid, 'options.causal', 'did you mean true?'],
  ['causal 1', sdpa({ causal: 1 }), invalid, 'options.causal', 'did you mean true?'],
  ["causal 'upper_left'", sdpa({ causal: 'upper_left' }), invalid, 'options.causal', "'upper-left'?"],
  [
    'activation swish',
    (e) => e.feedForward(square, { up: square, down: square }, { activation: any('swish') }),
    invalid,
    'options.activation',
    "'silu'?",
  ],
];

const unbuilt: Wrong[] = [
  ['a function as mask', sdpa({ mask: () => true }), invalid, 'options.mask', 'masks.fromFunction(f)'],
  ['a builder as mask', sdpa({ mask: masks.causal }), invalid, 'options.mask', 'when called: masks.causal('],
  [
    'a builder of windows as mask',
    sdpa({ mask: masks.slidingWindow }),
    invalid,
    'options.mask',
    'masks.slidingWindow(',
  ],
  ['mask true', sdpa({ mask: true }), invalid, 'options.mask', 'got true', 'masks.causal()'],
  ['a list of masks', sdpa({ mask: [masks.causal(), masks.causal()] }), invalid, 'options.mask', 'a.and(b)'],
  ["mask 'causal'", sdpa({ mask: 'causal' }), invalid, 'options.mask', 'masks.causal('],
  ['a mask in the place of options', sdpa(masks.causal()), invalid, 'options', 'named values'],
  ['a tensor in the place of options', sdpa(f32(4, 6)), invalid, 'options.data', 'this is a tensor'],
];

const as = (q: unknown) => of3(q, square, square);
const array = new Float32Array(16);
/** As tensors of tfjs and of jax-js are, whose data are behind methods of their class. */
const elsewhere = Object.assign(Object.create({ data: async () => array, dataSync: () => array }), { shape: [4, 4] });
const arrays: Wrong[] = [
  ['nested arrays', as([[1, 2], [3, 4]]), invalid, 'q', 'fromNested'], // biome-ignore format: a matrix
  ['a list of numbers', as([1, 2, 3, 4]), invalid, 'q', 'Float32Array.from(array)'],
  ['a bare typed array', as(array), invalid, 'q', '{ data: array, shape: [...] }'],
  ['a tensor of another library', as(elsewhere), invalid, 'q', 'x.dataSync()', 'x.shape'],
  ['an array of numjs', as({ selection: { ...square, stride: [4, 1], offset: 0 } }), invalid, 'q', 'its selection'],
  ['a whole result', as({ output: square, weights: undefined }), invalid, 'q', 'its output'],
  ['a promise', as(Promise.resolve(square)), invalid, 'q', 'await it first'],
  ['data that are a list', as({ data: [1, 2, 3, 4], shape: [2, 2] }), dtype, 'q', 'uint8', 'float32'],
  ['data that are nested', as({ data: [[1, 2]], shape: [1, 2] }), dtype, 'q', 'fromNested'],
  ['data that are a buffer', as({ data: array.buffer, shape: [4, 4] }), dtype, 'q', 'new Float32Array(data)'],
  ['pixels of a canvas', as({ data: new Uint8ClampedArray(16), shape: [4, 4] }), dtype, 'q', 'uint8', 'float32'],
  ['bits without a type', as({ data: new Uint16Array(16), shape: [4, 4] }), dtype, 'q', "dtype: 'float16'"],
  ['no shape', as({ data: array }), invalid, 'q', 'without a shape', 'dims'],
  ['a shape as text', as({ data: array, shape: '4,4' }), invalid, 'q', "got '4,4'", 'such as [4,4]'],
  ['a shape as text in brackets', as({ data: array, shape: '[4, 4]' }), invalid, 'q', 'such as [4,4]'],
  ['a shape as a number', as({ data: array, shape: 16 }), invalid, 'q', 'such as [16]'],
  ['a result as the place of another', sdpa({ out: f32(4, 4) }), invalid, 'options.out', 'its data'],
  ['a promise as the place', sdpa({ out: Promise.resolve(array) }), invalid, 'options.out', 'await it first'],
  ['zeros of a number', (e) => e.zeros(any(3)), invalid, 'shape', 'such as [3]'],
  [
    'lengths that are a tensor',
    sdpa({ kvLengths: { data: Int32Array.of(1, 2), shape: [2] } }),
    invalid,
    /kv/,
    'its data',
  ],
  ['lengths that are a number', sdpa({ kvLengths: 3 }), invalid, 'options.kvLengths', 'such as [3]'],
];

const ids = (given: unknown) => (e: Attention) => e.embedding(any(given), square);
const texts: Wrong[] = [
  ['embedding of text', ids('a text'), invalid, 'ids', "'a text'", 'tokenizer.encode(text).ids'],
  ['embedding of texts', ids(['one', 'two']), invalid, 'ids', "'one'", 'tokenizer.encode(text).ids'],
  ['embedding of an encoding', ids({ ids: [1], tokens: ['a'] }), invalid, 'ids', 'encoding.ids'],
  ['embedding of encodings', ids([{ ids: [1], tokens: ['a'] }]), invalid, 'ids', 'of each', 'encoding.ids'],
  ['embedding of nothing', ids(undefined), invalid, 'ids', 'undefined', 'token ids'],
];

const view = (layout: object) => as({ data: array, shape: [2, 3], ...layout });
const views: Wrong[] = [
  ['strides past the end', view({ strides: [8, 4] }), shape, 'q', '[8,4]', 0, 16],
  ['an offset past the end', view({ offset: 11 }), shape, 'q', 16, 11],
  ['strides before the start', view({ strides: [-1, 1], offset: 0 }), shape, 'q', -1, 2],
  ['strides that are too few', view({ strides: [1] }), shape, 'q.strides', 'got 1', '[2,3]'],
  ['strides that are too many', view({ stride: [1, 1, 1] }), shape, 'q.strides', 'got 3', '[2,3]'],
  ['strides that are halves', view({ strides: [0.5, 1] }), invalid, 'q.strides', '0.5'],
  ['strides that are a number', view({ stride: 12 }), invalid, 'q.strides', 12, 'each axis'],
  ['strides as text', view({ strides: '3,1' }), invalid, 'q.strides', '3,1'],
  ['an offset below 0', view({ offset: -1 }), invalid, 'q.offset', -1],
  ['an offset as text', view({ offset: '1' }), invalid, 'q.offset', "'1'"],
  ['values too many without strides', view({}), shape, 'q', 16, 6],
  ['values too many in columns', view({ fortranOrder: true }), shape, 'q', 16, 6],
  ['one value again and again', as({ data: array, shape: [2 ** 16, 2 ** 16], strides: [0, 0] }), 'OUT_OF_MEMORY', 'q'],
];

export const wrongForeign: readonly Wrong[] = [
  ...keys,
  ...otherKeys,
  ...values,
  ...unbuilt,
  ...arrays,
  ...texts,
  ...views,
];
