// What a page that is never closed does with an engine: calls of every kind at random, some of them wrong, objects that
// come and go, and now and then another engine.
import { reference } from '../engines/torture/reference.js';

/**
 * Works for so many seconds. Results are checked by sampling, against plain loops in double. One engine lives all the
 * time, and its memory is looked at after a tenth of it and at the end; beside it others come and go.
 */
export async function soak({ createAttention, AttentionError, masks }, { seconds, options, report = () => {} }) {
  const random = generator(1);
  const totals = { rounds: 0, engines: 1, checked: 0, refused: 0, worst: 0, warmBytes: 0, lastBytes: 0 };
  const attention = await createAttention(options);
  const stream = attention.kvCache({ numKvHeads: 2, headDim: 16, window: 64, sinkTokens: 4 });
  const began = now();
  for (let told = began; now() - began < seconds; totals.rounds++) {
    const step = steps[random(steps.length)];
    step({ attention, stream, masks, random, totals, AttentionError });
    if (totals.rounds % 100 === 0) await new Promise((done) => setTimeout(done));
    if (totals.rounds % 2000 === 1999) {
      const other = await createAttention(options);
      steps[0]({ attention: other, random, totals });
      other.dispose();
      totals.engines++;
    }
    totals.lastBytes = attention.info.memoryBytes;
    if (now() - began < seconds / 10) totals.warmBytes = totals.lastBytes;
    if (now() - told < 60) continue;
    told = now();
    report({ minutes: Math.round((told - began) / 60), ...totals });
  }
  stream.dispose();
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
  function underRule({ attention, random, masks }) {
    const x = tensor(random, [2, 64 + random(100), 8]);
    const mask = masks.slidingWindow(random(40), 0).or(masks.globalTokens([0, random(60)]));
    attention.scaledDotProductAttention(x, x, x, { mask, weights: true, logSumExp: true });
  },
  function tensors({ attention, random }) {
    const held = Array.from({ length: 1 + random(8) }, () => attention.tensor(tensor(random, [1 + random(40_000)])));
    held.push(attention.zeros([held[0].shape[0]]));
    attention.gelu(held[0], { out: held.at(-1) });
    for (const one of held) one.dispose();
  },
  function cache({ stream, random }) {
    const n = 1 + random(20);
    if (stream.length > 5000) stream.clear();
    const [k, v] = [tensor(random, [1, 2, n, 16]), tensor(random, [1, 2, n, 16])];
    stream.attend(tensor(random, [1, 4, n, 16]), k, v);
    if (random(5) === 0) {
      const fork = stream.fork();
      fork.append(k, v);
      fork.load(stream.toBytes());
      fork.dispose();
    }
  },
  function layers({ attention, random, totals }) {
    const [rows, size] = [1 + random(30), 8 * (1 + random(12))];
    const [x, weight, bias] = [tensor(random, [rows, size]), tensor(random, [3 * size, size]), tensor(random, [size])];
    const out = { 'out_proj.weight': tensor(random, [size, size]) };
    const heads = attention.multiHeadAttention({ embedDim: size, numHeads: 4 }, { in_proj_weight: weight, ...out });
    const normed = attention.layerNorm(heads.forward(x).output, bias, bias);
    const packed = attention.linearWeight(weight, { dtype: random(2) ? 'int8' : 'float32' });
    attention.linear(normed, packed);
    packed.dispose();
    heads.dispose();
    const sums = attention.softmax(x).data.reduce((sum, p) => sum + p, 0);
    check([sums / rows], [1], totals);
  },
  function mapped({ attention, random }) {
    const x = tensor(random, [2, 300, 16]);
    attention.attentionMap(x, x, { size: [1 + random(50), 1 + random(50)], pool: 'mean', causal: true });
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

/** Values are below 1 and scores below 64. */
function check(actual, exact, totals) {
  const error = exact.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0);
  if (!(error <= 4e-6)) throw new Error(`a result was ${error} away`);
  totals.worst = Math.max(totals.worst, error);
  totals.checked++;
}
