/**
 * Times of several functions in ms, taken in turns (a b c a b c …) so that all meet the same state of the machine:
 * `rounds` of them, and more until two seconds have passed, which short calls need against noise.
 */
export async function interleave(functions, rounds) {
  const times = Object.fromEntries(Object.keys(functions).map((name) => [name, []]));
  await warmUp(functions);
  const end = performance.now() + 2000;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    for (const [name, run] of Object.entries(functions)) {
      const start = performance.now();
      await run();
      times[name].push(performance.now() - start);
    }
  }
  return times;
}

/** Until V8 has compiled the hot WebAssembly functions a second time. */
async function warmUp(functions) {
  const end = performance.now() + 500;
  for (let round = 0; round < 3 || performance.now() < end; round++) {
    for (const run of Object.values(functions)) await run();
  }
}

export const median = (values) => quantile(values, 0.5);

/** How many times faster `times` are than `others`, round by round: the median, and the bounds of the middle half. */
export function ratio(times, others) {
  const ratios = times.map((time, round) => others[round] / time);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
  return `${middle}× (${low}–${high})`;
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}
