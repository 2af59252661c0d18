import { Numbers } from './numbers.js';

/** Caches of every kind, grown by blocks of several sizes, and weights as int8. */
export const cacheCases = [
  ...['float32', 'float16', 'int8'].flatMap((dtype) =>
    [{ capacity: 300 }, { window: 40, sinkTokens: 3 }].map((kind) => [
      `cache of ${dtype}, ${JSON.stringify(kind)}`,
      (attention) => decode(attention, { ...kind, dtype }),
    ]),
  ),
  ['cache with rules, forks and bytes', live],
  ['linear weights as int8', int8],
];

function decode(attention, kind) {
  const numbers = new Numbers(30);
  const cache = attention.kvCache({ batch: 2, numKvHeads: 2, headDim: 16, valueDim: 24, ...kind });
  const results = [1, 7, 130, 1, 1, 33, 1].map((count) => attendOf(numbers, cache, count, { logSumExp: true }));
  results.push(cache.read());
  cache.dispose();
  return results;
}

function live(attention) {
  const numbers = new Numbers(31);
  const cache = attention.kvCache({ batch: 2, numKvHeads: 2, headDim: 16, valueDim: 24, capacity: 200, dtype: 'int8' });
  const mask = attention.masks.slidingWindow(30, 0).or(attention.masks.globalTokens([0]));
  const results = [attendOf(numbers, cache, 70, { mask, weights: true })];
  const fork = cache.fork();
  fork.reorder([1, 0]);
  fork.truncate(50);
  for (const one of [fork, cache]) results.push(attendOf(numbers, one, 9, { alibi: true, softcap: 3 }));
  cache.load(fork.toBytes());
  results.push(attendOf(numbers, cache, 3, { mask }));
  fork.dispose();
  cache.dispose();
  return results;
}

/** Four heads over two, packed. */
function attendOf(numbers, cache, count, options) {
  const [q, k, v] = [64, 32, 48].map((width) => numbers.tensor([2, count, width], 2));
  return cache.attend(q, k, v, { numHeads: 4, ...options });
}

function int8(attention) {
  const numbers = new Numbers(32);
  return [
    [1, 3, 5],
    [9, 384, 17],
    [100, 400, 65],
  ].flatMap(([rows, from, to]) => {
    const weight = attention.linearWeight(numbers.tensor([to, from]), { dtype: 'int8' });
    const results = [
      attention.linear(numbers.tensor([rows, from]), weight, numbers.tensor([to])),
      attention.embedding([to - 1, 0], weight),
    ];
    weight.dispose();
    return results;
  });
}
