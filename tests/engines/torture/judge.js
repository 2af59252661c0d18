import { reference } from './reference.js';
import { table } from './table.js';

/**
 * Each case of the table: the largest error of output, probabilities and logSumExp as shares of what is allowed. That is
 * 2e-6·(1 + the largest number), or where scores are large twice the error of plain loops in float32, by the worse of two orders.
 */
export async function torture({ createAttention }, options) {
  const attention = await createAttention(options);
  const found = table.map(([name, call]) => [name, ...sharesOf(attention, call)]);
  const { variant } = attention.info;
  attention.dispose();
  return { variant, found };
}

function sharesOf(attention, call) {
  const { q, k, v, options, mask } = call;
  const asked = { ...options, ...(mask && { mask }), weights: true, logSumExp: true };
  const got = attention.scaledDotProductAttention(q, k, v, asked);
  const exact = reference(call);
  // Which order of additions is luckier is chance.
  const plain = [false, true].map((fromLast) => reference(call, Math.fround, fromLast));
  return ['output', 'weights', 'logSumExp'].map((name) => {
    const largest = name === 'output' ? magnitude(v.data) : name === 'weights' ? 0 : magnitude(exact[name]);
    const allowed = Math.max(2e-6 * (1 + largest), 2 * Math.max(...plain.map((one) => error(one[name], exact[name]))));
    if (!(allowed <= 1e-3 * (1 + largest))) throw new Error(`${allowed} would be allowed`);
    // A number also where nothing is right: JSON has no infinity.
    return Math.min(error(got[name].data, exact[name]) / allowed, 1e9);
  });
}

const magnitude = (values) => values.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);

/** The largest; Infinity where one is NaN and the other is not, where infinities differ, or where one is missing. */
function error(actual, exact) {
  if (actual.length !== exact.length) return Infinity;
  return exact.reduce((most, value, at) => {
    if (Object.is(actual[at], value) || actual[at] === value) return most;
    const difference = Math.abs(actual[at] - value);
    return difference <= most ? most : Number.isNaN(difference) ? Infinity : difference;
  }, 0);
}
