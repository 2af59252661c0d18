import { Numbers } from './numbers.js';

/** Everything around attention, at sizes about the tiles and vectors of the kernels. */
export const layerCases = [
  ...['gelu', 'silu', 'relu', 'tanh', 'sigmoid', 'softplus'].map((name) => [
    `${name} of every sign, exponent and leading bits`,
    (attention) => attention[name](everyLeadingBits()),
  ]),
  ['gelu by tanh', (attention) => attention.gelu(everyLeadingBits(), { approximate: 'tanh' })],
  ['softmax over each axis', softmaxes],
  ['layerNorm', (attention) => norms((x, n) => attention.layerNorm(x, n.tensor([x.shape[1]]), n.tensor([x.shape[1]])))],
  ['rmsNorm', (attention) => norms((x, n) => attention.rmsNorm(x, n.tensor([x.shape[1]])))],
  ['linear', linears],
  ...['relu', 'gelu', 'gelu_tanh', 'silu'].map((activation) => [
    `feed-forward by ${activation}`,
    (attention) => feedForwards(attention, activation),
  ]),
  ...['add', 'multiply'].map((name) => [name, (attention) => binary(attention, name)]),
  ['layerNorm far from zero', farNorms],
  ['l2Normalize', (attention) => norms((x) => [0, 1].map((axis) => attention.l2Normalize(x, { axis })))],
  ['cosineSimilarity', (attention) => norms((x) => attention.cosineSimilarity(x, x))],
  ['concat and slice', rearranged],
  ['a scope', inScope],
  ['embedding', embeddings],
  ['every half', everyHalf],
  ['self and cross attention', projections],
  ['torch’s attention layer', multiHead],
  ['sinusoidal positions', sinusoids],
  ['alibi slopes', (attention) => Array.from({ length: 70 }, (_, n) => attention.alibiSlopes(n + 1))],
  ...rotations(),
];

/** 2¹⁶ floats: NaN and infinities are among them. */
function everyLeadingBits() {
  const words = Uint32Array.from({ length: 2 ** 16 }, (_, n) => (n << 16) | (Math.imul(n, 2654435761) >>> 16));
  return { data: new Float32Array(words.buffer), shape: [2 ** 16] };
}

function softmaxes(attention) {
  const numbers = new Numbers(20);
  const axes = [0, 1, 2].map((axis) => attention.softmax(numbers.tensor([9, 17, 33], 64), { axis }));
  const lengths = Array.from({ length: 40 }, (_, n) => attention.softmax(numbers.tensor([3, n + 1], 16)));
  return [...axes, ...lengths, attention.softmax(numbers.ofKind('any', [20, 50]))];
}

function norms(norm) {
  const numbers = new Numbers(21);
  const sizes = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 64, 384, 1000];
  return [
    ...sizes.map((n) => norm(numbers.tensor([5, n], 8), numbers)),
    ...['subnormal', 'small', 'usual', 'huge', 'any'].map((kind) => norm(numbers.ofKind(kind, [9, 20]), numbers)),
  ];
}

function linears(attention) {
  const numbers = new Numbers(22);
  const sizes = [
    [1, 1, 1],
    [1, 384, 1536],
    [3, 5, 7],
    [7, 33, 17],
    [13, 64, 65],
    [33, 100, 31],
    [97, 129, 130],
    [130, 384, 512],
    ...Array.from({ length: 40 }, () => [1, 1, 1].map(() => numbers.integer(1, 70))),
  ];
  return sizes.flatMap(([rows, from, to]) => {
    const [x, weight, bias] = [numbers.tensor([rows, from]), numbers.tensor([to, from]), numbers.tensor([to])];
    const packed = attention.linearWeight(weight);
    const ofPacked = attention.linear(x, packed, bias);
    packed.dispose();
    return [
      ofPacked,
      attention.linear(x, weight),
      attention.linear(x, weight, bias),
      attention.linear(x, numbers.halves([to, from])),
    ];
  });
}

function feedForwards(attention, activation) {
  const numbers = new Numbers(23);
  return [
    [1, 3, 5],
    [9, 16, 64],
    [34, 40, 100],
  ].flatMap(([rows, E, F]) => {
    const [x, up, gate] = [numbers.tensor([rows, E], 2), numbers.tensor([F, E]), numbers.tensor([F, E])];
    const [down, upBias, downBias] = [numbers.tensor([E, F]), numbers.tensor([F]), numbers.tensor([E])];
    return [
      { up, down },
      { up, down, upBias, downBias },
      { up, down, gate, gateBias: upBias },
    ].map((weights) => attention.feedForward(x, weights, { activation }));
  });
}

function binary(attention, name) {
  const numbers = new Numbers(24);
  const x = numbers.ofKind('any', [7, 5, 33]);
  return [[7, 5, 33], [33], [5, 1], [7, 1, 33]].map((shape) => attention[name](x, numbers.ofKind('any', shape)));
}

function farNorms(attention) {
  const numbers = new Numbers(26);
  return [4, 37, 384, 4096].map((n) => {
    const { data, shape } = numbers.tensor([2, n]);
    return attention.layerNorm({ data: data.map((value) => value + 1e5), shape });
  });
}

function rearranged(attention) {
  const numbers = new Numbers(27);
  return [0, 1, 2].flatMap((axis) => {
    const tensors = [1, 2, 3].map((size) =>
      numbers.ofKind(
        'any',
        [4, 5, 6].map((n, i) => (i === axis ? size : n)),
      ),
    );
    return [attention.concat(tensors, { axis }), attention.slice(tensors[2], { axis, start: 1, end: -1 })];
  });
}

function inScope(attention) {
  const numbers = new Numbers(28);
  const [x, weight] = [numbers.tensor([9, 16]), numbers.tensor([16, 16])];
  return attention.scope((on) => {
    const h = on.linear(on.rmsNorm(x), weight);
    const { output, weights } = on.scaledDotProductAttention(h, h, h, { numHeads: 4, weights: true });
    return { output: on.add(x, on.multiply(on.silu(output), h)), weights };
  });
}

function embeddings(attention) {
  const numbers = new Numbers(25);
  return [numbers.ofKind('any', [50, 33]), numbers.halves([50, 33])].map((table) =>
    attention.embedding([49, 0, 7, 7, 3], table),
  );
}

function everyHalf(attention) {
  const table = { data: Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits), shape: [256, 256], dtype: 'float16' };
  return attention.embedding(
    Array.from({ length: 256 }, (_, id) => id),
    table,
  );
}

function projections(attention) {
  const numbers = new Numbers(26);
  const [E, H, Hkv, D, Dv] = [40, 4, 2, 12, 9];
  const weights = {
    query: numbers.tensor([H * D, E]),
    key: numbers.tensor([Hkv * D, E]),
    value: numbers.tensor([Hkv * Dv, E]),
    output: numbers.tensor([E, H * Dv]),
    queryBias: numbers.tensor([H * D]),
    outputBias: numbers.tensor([E]),
  };
  const [x, context] = [numbers.tensor([2, 37, E], 2), numbers.tensor([2, 70, E], 2)];
  const options = { numHeads: H, numKvHeads: Hkv, weights: true, logSumExp: true };
  return [
    attention.selfAttention(x, weights, { ...options, causal: true }),
    attention.crossAttention(x, context, weights, { ...options, softcap: 5 }),
  ];
}

function multiHead(attention) {
  const numbers = new Numbers(27);
  const layer = attention.multiHeadAttention(
    { embedDim: 48, numHeads: 6 },
    {
      in_proj_weight: numbers.tensor([144, 48]),
      in_proj_bias: numbers.tensor([144]),
      'out_proj.weight': numbers.halves([48, 48]),
      'out_proj.bias': numbers.tensor([48]),
    },
  );
  const results = [{}, { causal: true, weights: true }, { weights: true, averageWeights: true }].map((options) =>
    layer.forward(numbers.tensor([2, 35, 48], 2), options),
  );
  layer.dispose();
  return results;
}

function sinusoids(attention) {
  const options = [{}, { offset: 5000 }, { offset: 1_000_000_000 }, { base: 100 }, { base: 3.7 }];
  return options.flatMap((more) => [1, 7, 64, 129].map((size) => attention.sinusoidalPositions(70, size, more)));
}

function rotations() {
  const forms = {
    'as it is': {},
    interleaved: { interleaved: true },
    'first dims': { dims: 14 },
    'another base': { base: 500000 },
    'far positions': { positions: Array.from({ length: 70 }, (_, n) => n * 30_000_000) },
    linear: { scaling: { type: 'linear', factor: 3 } },
    llama3: { scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 64 } },
    yarn: { scaling: { type: 'yarn', factor: 7, originalContext: 512 } },
  };
  return Object.entries(forms).map(([name, options]) => [
    `rotary: ${name}`,
    (attention) => attention.rotaryEmbedding(new Numbers(28).tensor([2, 3, 70, 34], 4), options),
  ]);
}
