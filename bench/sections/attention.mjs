// Attention beside others, every copy in and out included.
import { attentionCall } from '../attention-call.mjs';
import { attentionOperations, packHeads, randomArray, requireEqual } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { jaxAttention, runsJax } from '../peers/jax.mjs';
import { onnxruntimeAttention } from '../peers/onnxruntime.mjs';
import { tfjsAttention } from '../peers/tfjs.mjs';
import { billionsPerSecond, interleave, median, summary, timesFaster } from '../statistics.mjs';

const heads = 12;
const size = 64;

/** A peer whose call would take longer is left out. */
const longestCall = { full: 2000, quick: 150 };

export const attention = {
  name: 'attention',
  title: 'Attention beside others, 12 heads of 64, one thread, copies in and out included',
  columns: {
    length: 'tokens',
    mask: 'mask',
    who: 'who',
    ms: 'ms',
    gigaflops: 'GFLOP/s',
    faster: 'times faster than onnxruntime-web',
    slower: 'times slower than relaxed-simd',
    operator: 'operator',
  },
  rows: async ({ effort, quick }) => {
    const most = quick ? longestCall.quick : longestCall.full;
    const rows = [];
    for (const mask of ['full', 'causal']) {
      const done = [];
      for (const length of quick ? [128, 512] : [128, 512, 1024, 2048, 4096]) {
        const shape = { heads, length, size, causal: mask === 'causal' };
        const fits = (who) => length <= (greatestLength[who] ?? length) && expectedTime(done, who, length) <= most;
        const measured = await measure(shape, fits, effort);
        done.push(...measured.map((row) => ({ length, mask, ...row })));
      }
      rows.push(...done);
    }
    return rows;
  },
};

/** Where a peer's scores no longer fit its memory: at 4,096 tokens onnxruntime-web ends with an integer overflow. */
const greatestLength = { 'onnxruntime-web': 2048 };

/** ms of a peer's call by its latest one, if there was one: work grows with the length squared. */
function expectedTime(rows, who, length) {
  const latest = rows.findLast((row) => row.who === who);
  return latest ? latest.ms.median * (length / latest.length) ** 2 : 0;
}

async function measure(shape, fits, effort) {
  const count = heads * shape.length * size;
  const inputs = { query: randomArray(count, 1), key: randomArray(count, 2), value: randomArray(count, 3) };
  return withEngines(async (engines) => {
    const ours = Object.fromEntries(
      variants.map((variant) => [variant, attentionCall(engines[variant], inputs, shape)]),
    );
    const packed = mapValues(inputs, (data) => packHeads(data, { heads, size }));
    const work = attentionOperations(shape);
    const expected = { plain: ours.simd(), packed: packHeads(ours.simd(), { heads, size }) };
    const rows = fits('onnxruntime-web')
      ? await besideOnnxruntime(ours, await onnxruntimeAttention(shape, inputs, packed), { expected, work, effort })
      : await alone(ours, { work, effort });
    const slow = {
      ...(runsJax && fits('jax-js') ? { 'jax-js': jaxAttention(shape, packed) } : {}),
      ...(fits('tfjs') && !shape.causal ? { tfjs: tfjsAttention(shape, inputs) } : {}),
    };
    return Object.keys(slow).length === 0
      ? rows
      : [...rows, ...(await besideSlowPeers(ours, slow, { expected, work, effort }))];
  });
}

async function alone(ours, { work, effort }) {
  const times = await interleave(ours, effort);
  return variants.map((who) => ({ who, ...timesAndSpeed(work, times[who]) }));
}

async function besideOnnxruntime(ours, operators, { expected, work, effort }) {
  requireEqual(ours['relaxed-simd'](), expected.plain, 'relaxed-simd');
  requireEqual(await operators.Attention(), expected.plain, 'Attention');
  requireEqual(await operators.MultiHeadAttention(), expected.packed, 'MultiHeadAttention');
  const times = await interleave({ ...ours, ...operators }, effort);
  const [operator] = Object.keys(operators).sort((a, b) => median(times[a]) - median(times[b]));
  const peer = times[operator];
  return [
    ...variants.map((who) => ({ who, ...timesAndSpeed(work, times[who]), faster: timesFaster(times[who], peer) })),
    {
      who: 'onnxruntime-web',
      ...timesAndSpeed(work, peer),
      slower: timesFaster(times['relaxed-simd'], peer),
      operator,
    },
  ];
}

/** Apart from the others: what they leave of caches and for the garbage collector would slow short calls down. */
async function besideSlowPeers(ours, peers, { expected, work, effort }) {
  for (const [who, run] of Object.entries(peers)) {
    requireEqual(await run(), who === 'jax-js' ? expected.packed : expected.plain, who);
  }
  const times = await interleave({ 'relaxed-simd': ours['relaxed-simd'], ...peers }, effort);
  return Object.keys(peers).map((who) => ({
    who,
    ...timesAndSpeed(work, times[who]),
    slower: timesFaster(times['relaxed-simd'], times[who]),
  }));
}

const timesAndSpeed = (work, times) => ({ ms: summary(times), gigaflops: billionsPerSecond(work, times) });

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
