import { Numbers } from './numbers.js';
import { randomCall } from './random-call.js';

/** Attention in every form: random calls, then what they leave out. */
export const attentionCases = [
  ...Array.from({ length: 400 }, (_, n) => randomCall(n)),
  ['1024 tokens', (attention) => onePass(attention, [1, 2, 1024, 1024, 64, 64], { causal: true, logSumExp: true })],
  ['one query, 4097 keys', (attention) => onePass(attention, [1, 8, 1, 4097, 128, 128], { logSumExp: true })],
  ['a window over 5000 tokens', (attention) => onePass(attention, [1, 1, 5000, 5000, 16, 16], { window: [100, 3] })],
  ...bitCases(),
  ...['float32', 'float16', 'int8'].map((type) => [`decoding ${type} keys`, (attention) => decode(attention, type)]),
  ...ruleCases(),
  ['variable length', variableLength],
  ...['elu+1', 'relu'].flatMap((featureMap) =>
    [false, true].map((causal) => [
      `linear attention, ${featureMap}, causal ${causal}`,
      (attention) => linear(attention, { featureMap, causal }),
    ]),
  ),
  ...['max', 'mean'].map((pool) => [`map by ${pool}`, (attention) => map(attention, pool)]),
  ['rollout', rollout],
];

function onePass(attention, [B, H, Sq, Skv, D, Dv], options) {
  const numbers = new Numbers(Sq + Skv);
  const [q, k, v] = [numbers.tensor([B, H, Sq, D], 4), numbers.tensor([B, H, Skv, D]), numbers.tensor([B, H, Skv, Dv])];
  return attention.scaledDotProductAttention(q, k, v, options);
}

/** Few queries over keys and values as a cache may hold them. */
function decode(attention, type) {
  const numbers = new Numbers(13);
  const form = { float32: (...axes) => numbers.tensor(...axes), float16: (...axes) => numbers.halves(...axes) };
  const stored = form[type] ?? ((...axes) => numbers.bytes(...axes));
  return [
    [1, 300, 64],
    [2, 129, 33],
    [5, 1000, 128],
    [40, 70, 20],
  ].flatMap(([Sq, Skv, D]) => {
    const [q, k, v] = [numbers.tensor([2, 6, Sq, D], 2), stored([2, 2, Skv, D]), stored([2, 2, Skv, D + 3])];
    const factor = () => numbers.tensor([2, 2, Skv], 2 ** -5);
    const scales = type === 'int8' ? { keyScales: factor(), valueScales: factor() } : {};
    return [{ logSumExp: true }, { causal: 'lower-right', weights: true }].map((options) =>
      attention.scaledDotProductAttention(q, k, v, { ...scales, ...options }),
    );
  });
}

/** Queries and keys of one kind of bits, values of another. */
function bitCases() {
  const kinds = ['subnormal', 'small', 'usual', 'huge', 'any'];
  const pairs = ['subnormal', 'small', 'usual'].flatMap((scores) => kinds.map((values) => [scores, values]));
  return [...pairs, ['huge', 'usual']].map(([scores, values], n) => [
    `bits: ${scores} scores of ${values} values`,
    (attention) => {
      const numbers = new Numbers(1000 + n);
      const [q, k] = [numbers.ofKind(scores, [2, 19, 12]), numbers.ofKind(scores, [2, 70, 12])];
      const options = [{}, { causal: true }, { softcap: 3 }, { mask: numbers.ofKind('usual', [19, 70]) }][n % 4];
      const beside = { weights: true, logSumExp: true };
      return attention.scaledDotProductAttention(q, k, numbers.ofKind(values, [2, 70, 9]), { ...options, ...beside });
    },
  ]);
}

function ruleCases() {
  const ids = Array.from({ length: 200 }, (_, p) => p >> 5);
  const rules = {
    causal: ({ causal }) => causal(),
    window: ({ slidingWindow }) => slidingWindow(40, 9),
    prefix: ({ prefixLM }) => prefixLM(70),
    'documents and causal': ({ documents, causal }) => documents(ids).and(causal()),
    'not dilated': ({ dilated }) => dilated(9, 5).not(),
    'window or tokens': ({ slidingWindow, globalTokens }) => slidingWindow(5, 5).or(globalTokens([0, 99])),
    bigBird: ({ bigBird }) => bigBird({ blockSize: 16, window: 3, globalBlocks: 1, randomBlocks: 2, seed: 7 }),
    lengths: ({ keyPadding }) => keyPadding([130, 77]),
    blocks: ({ blockSparse }) => blockSparse(new Numbers(5).bools([1, 1, 13, 13]), 16),
    dense: ({ dense }) => dense(new Numbers(6).bools([150, 200])),
    function: ({ fromFunction }) => fromFunction((b, h, p, j) => (b + h + p * 7 + j * 11) % 13 > 4),
  };
  return Object.entries(rules).map(([name, build]) => [
    `rule: ${name}`,
    (attention) => {
      const numbers = new Numbers(8);
      const [q, k, v] = [
        [2, 3, 150, 20],
        [2, 3, 200, 20],
        [2, 3, 200, 24],
      ].map((shape) => numbers.tensor(shape, 4));
      const mask = build(attention.masks);
      return [{}, { alibi: true, softcap: 4 }, { queryOffset: 50, logSumExp: true }].map((more) =>
        attention.scaledDotProductAttention(q, k, v, { ...more, mask }),
      );
    },
  ]);
}

function variableLength(attention) {
  const numbers = new Numbers(9);
  const [q, k, v] = [
    [200, 4, 24],
    [230, 2, 24],
    [230, 2, 17],
  ].map((shape) => numbers.tensor(shape, 4));
  const bounds = { cuSeqlensQ: [0, 1, 66, 66, 200], cuSeqlensKv: [0, 7, 70, 100, 230] };
  return [{}, { causal: true, logSumExp: true }, { window: [20, 0], alibi: true }].map((options) =>
    attention.variableLengthAttention(q, k, v, { ...bounds, ...options }),
  );
}

function linear(attention, options) {
  const numbers = new Numbers(10);
  return [5, 64, 131].map((length) => {
    const [q, k] = [numbers.tensor([2, 4, length, 12], 4), numbers.tensor([2, 2, length, 12], 4)];
    return attention.linearAttention(q, k, numbers.tensor([2, 2, length, 19]), options);
  });
}

function map(attention, pool) {
  const numbers = new Numbers(11);
  const [q, k] = [numbers.tensor([2, 3, 150, 20], 4), numbers.tensor([2, 3, 170, 20], 4)];
  return [{}, { causal: true }, { softcap: 2, rows: [10, 140], columns: [3, 99], size: [20, 30] }].map((options) =>
    attention.attentionMap(q, k, { size: [32, 48], pool, ...options }),
  );
}

function rollout(attention) {
  const numbers = new Numbers(12);
  const layers = Array.from({ length: 3 }, () => attention.softmax(numbers.tensor([2, 4, 37, 37], 4)));
  return ['mean', 'max', 'min'].flatMap((headFusion) =>
    [false, true].map((residual) => attention.attentionRollout(layers, { headFusion, residual })),
  );
}
