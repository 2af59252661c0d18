// What a page that is never closed does with an engine: calls of every kind at random, some of them wrong, objects that
// come and go, and now and then another engine.
import { reference } from '../engines/torture/reference.js';

/**
 * Works for so many seconds. Results are checked by sampling, against plain loops in double. One engine lives all the
 * time; its memory, and what JavaScript holds by `heapBytes`, are looked at after a tenth of the time and at the end.
 */
export async function soak(pack, { seconds, options, heapBytes, report = () => {} }) {
  const random = generator(1);
  const totals = { rounds: 0, engines: 1, checked: 0, refused: 0, worst: 0 };
  const attention = await pack.createAttention(options);
  const world = { ...pack, attention, random, totals, stream: streamOf(attention) };
  const look = async () => ({ wasmBytes: attention.info.memoryBytes, heapBytes: await heapBytes() });
  const began = now();
  for (let told = began; now() - began < seconds; totals.rounds++) {
    steps[random(steps.length)](world);
    if (totals.rounds % 100 === 0) await new Promise((done) => setTimeout(done));
    if (totals.rounds % 2000 === 1999) {
      const other = await pack.createAttention(options);
      steps[0]({ ...world, attention: other });
      other.dispose();
      totals.engines++;
    }
    if (!totals.warm && now() - began > seconds / 10) totals.warm = await look();
    if (now() - told < 60) continue;
    told = now();
    report({ minutes: Math.round((told - began) / 60), ...totals });
  }
  totals.last = await look();
  world.stream.cache.dispose();
  attention.dispose();
  return totals;
}

const now = () => performance.now() / 1000;

/** Whole numbers below `most`. */
function generator(seed) {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

function tensor(random, shape) {
  const length = shape.reduce((product, n) => product * n, 1);
  return { data: Float32Array.from({ length }, () => random(2 ** 16) / 2 ** 15 - 1), shape };
}

/** A cache with a window, beside all rows that it was ever given. */
const mostRows = 5000;
function streamOf(attention) {
  const cache = attention.kvCache({ numKvHeads: 2, headDim: 16, window: 64, sinkTokens: 4 });
  return { cache, k: new Float32Array(2 * mostRows * 16), v: new Float32Array(2 * mostRows * 16) };
}

/** [H,Sq,Skv] of what may be added to scores, by a rule of pairs. */
const maskOf = (Sq, Skv, attends) => ({
  data: Float32Array.from({ length: Sq * Skv }, (_, at) =>
    attends(Math.floor(at / Skv), at % Skv) ? 0 : Number.NEGATIVE_INFINITY,
  ),
});

/** The mean of each of R×C cells of weights [H,S,S]. */
function meansOf(weights, [H, S], [R, C]) {
  const edge = (cells, cell) => Math.floor((cell * S) / cells);
  return Float64Array.from({ length: H * R * C }, (_, at) => {
    const [h, r, c] = [Math.floor(at / (R * C)), Math.floor(at / C) % R, at % C];
    let [sum, pairs] = [0, 0];
    for (let i = edge(R, r); i < edge(R, r + 1); i++)
      for (let j = edge(C, c); j < edge(C, c + 1); j++, pairs++) sum += weights[(h * S + i) * S + j];
    return sum / pairs;
  });
}

const steps = [
  function attend({ attention, random, totals }) {
    const [H, Sq, Skv, D] = [2 * (1 + random(4)), 1 + random(60), 1 + random(200), 1 + random(64)];
    const call = {
      q: tensor(random, [H, Sq, D]),
      k: tensor(random, [H / 2, Skv, D]),
      v: tensor(random, [H / 2, Skv, D]),
      options: { causal: random(2) === 1, window: [random(100) - 1, -1] },
    };
    const { output } = attention.scaledDotProductAttention(call.q, call.k, call.v, call.options);
    if (random(10) === 0) check(output.data, reference(call).output, totals);
  },
  function underRule({ attention, random, masks, totals }) {
    const x = tensor(random, [2, 64 + random(100), 8]);
    const [S, left, token] = [x.shape[1], random(40), random(60)];
    const mask = masks.slidingWindow(left, 0).or(masks.globalTokens([0, token]));
    const got = attention.scaledDotProductAttention(x, x, x, { mask, weights: true, logSumExp: true });
    if (random(10) !== 0) return;
    const isGlobal = (n) => n === 0 || n === token;
    const attends = (i, j) => (i >= j && i - j <= left) || isGlobal(i) || isGlobal(j);
    const exact = reference({ q: x, k: x, v: x, mask: maskOf(S, S, attends) });
    for (const name of ['output', 'weights', 'logSumExp']) check(got[name].data, exact[name], totals);
  },
  function tensors({ attention, random, totals }) {
    const held = Array.from({ length: 1 + random(8) }, () => attention.tensor(tensor(random, [1 + random(40_000)])));
    held.push(attention.zeros([held[0].shape[0]]));
    attention.relu(held[0], { out: held.at(-1) });
    if (random(10) === 0)
      check(
        held.at(-1).data,
        held[0].data.map((value) => Math.max(value, 0)),
        totals,
      );
    for (const one of held) one.dispose();
  },
  function cache({ stream, random, totals }) {
    const { cache } = stream;
    const n = 1 + random(20);
    if (cache.length + n > mostRows) cache.clear();
    const before = cache.length;
    const [q, k, v] = [tensor(random, [1, 4, n, 16]), tensor(random, [1, 2, n, 16]), tensor(random, [1, 2, n, 16])];
    for (const [rows, all] of [
      [k.data, stream.k],
      [v.data, stream.v],
    ])
      for (const h of [0, 1]) all.set(rows.subarray(h * n * 16, (h + 1) * n * 16), (h * mostRows + before) * 16);
    const { output } = cache.attend(q, k, v);
    if (random(10) === 0) {
      const Skv = before + n;
      const heads = (all) =>
        Float32Array.from({ length: 2 * Skv * 16 }, (_, at) => {
          const h = at < Skv * 16 ? 0 : 1;
          return all[h * mostRows * 16 + at - h * Skv * 16];
        });
      const attends = (i, j) => j <= before + i && (j < 4 || before + i < j + 64);
      const [keys, values] = [stream.k, stream.v].map((all) => ({ data: heads(all), shape: [2, Skv, 16] }));
      const mask = maskOf(n, Skv, attends);
      check(output.data, reference({ q: { ...q, shape: [4, n, 16] }, k: keys, v: values, mask }).output, totals);
    }
    if (random(5) === 0) {
      const fork = cache.fork();
      fork.append(k, v);
      fork.load(cache.toBytes());
      fork.dispose();
    }
  },
  function layers({ attention, random, totals }) {
    const [rows, size] = [1 + random(30), 8 * (1 + random(12))];
    const [x, weight, bias] = [tensor(random, [rows, size]), tensor(random, [3 * size, size]), tensor(random, [size])];
    const out = { 'out_proj.weight': tensor(random, [size, size]) };
    const heads = attention.multiHeadAttention({ embedDim: size, numHeads: 4 }, { in_proj_weight: weight, ...out });
    const normed = attention.layerNorm(heads.forward(x).output, bias, bias);
    const int8 = attention.linearWeight(weight, { dtype: 'int8' });
    attention.linear(normed, int8);
    int8.dispose();
    heads.dispose();
    const packed = attention.linearWeight(weight);
    const { data } = attention.linear(x, packed);
    packed.dispose();
    if (random(10) === 0) check(data, productOf(x, weight), totals, Math.sqrt(size) / 3);
    const sums = attention.softmax(x).data.reduce((sum, p) => sum + p, 0);
    check([sums / rows], [1], totals);
  },
  function mapped({ attention, random, totals }) {
    const x = tensor(random, [2, 300, 16]);
    const size = [1 + random(50), 1 + random(50)];
    const { data } = attention.attentionMap(x, x, { size, pool: 'mean', causal: true });
    if (random(20) !== 0) return;
    const { weights } = reference({ q: x, k: x, v: x, options: { causal: true } });
    check(data, meansOf(weights, x.shape, size), totals);
  },
  function wrong({ attention, random, totals, AttentionError }) {
    const x = tensor(random, [2, 5, 8]);
    try {
      attention.scaledDotProductAttention(x, tensor(random, [2, 5, 7]), x);
    } catch (error) {
      if (!(error instanceof AttentionError) || error.code !== 'SHAPE_MISMATCH') throw error;
      totals.refused++;
      return;
    }
    throw new Error('a wrong call was accepted');
  },
];

/** x·Wᵀ. */
function productOf({ data: x, shape: [rows, size] }, { data: weight, shape: [columns] }) {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let n = 0; n < size; n++) sum += x[row * size + n] * weight[column * size + n];
    return sum;
  });
}

/** Values are below 1 and scores below 64; told is what fits results of such a size. */
function check(actual, exact, totals, size = 1) {
  if (actual.length !== exact.length) throw new Error(`${actual.length} results, not ${exact.length}`);
  const error = exact.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0) / Math.max(1, size);
  if (!(error <= 4e-6)) throw new Error(`a result was ${error} away`);
  totals.worst = Math.max(totals.worst, error);
  totals.checked++;
}
