/** How long one thing is measured: at least so many rounds, and so many seconds, which short calls need against noise. */
export const effort = {
  full: { rounds: 7, seconds: 2, warmUp: 0.5 },
  quick: { rounds: 5, seconds: 0.2, warmUp: 0.1 },
};

/** Times of several functions in ms, taken in turns (a b c a b c …) so that all meet the same state of the machine. */
export async function interleave(functions, { rounds, seconds, warmUp }) {
  const times = Object.fromEntries(Object.keys(functions).map((name) => [name, []]));
  // Until V8 has compiled the hot WebAssembly functions a second time.
  await turns(functions, { rounds: 1, seconds: warmUp }, () => {});
  await turns(functions, { rounds, seconds }, (name, time) => times[name].push(time));
  return times;
}

async function turns(functions, { rounds, seconds }, take) {
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    for (const [name, run] of Object.entries(functions)) {
      const start = performance.now();
      await run();
      take(name, performance.now() - start);
    }
  }
}

/** The median, and the bounds of the middle half. */
export function summary(values) {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** How many times faster `times` are than `others`, round by round. */
export const timesFaster = (times, others) => summary(times.map((time, round) => others[round] / time));

/** What a second of those ms does of `amount`, in billions. */
export const billionsPerSecond = (amount, times) => summary(times.map((time) => amount / time / 1e6));

export const median = (values) => quantile(values, 0.5);

/** For reading: counts as they are, other numbers with three digits, a summary with its spread. */
export function format(value) {
  if (typeof value === 'number') return threeDigits(value).toLocaleString('en', { maximumFractionDigits: 6 });
  if (typeof value?.median !== 'number') return value;
  return `${format(value.median)} (${format(value.low)}–${format(value.high)})`;
}

const threeDigits = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(3)));

/** Between the two values nearest to that share of them. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}
