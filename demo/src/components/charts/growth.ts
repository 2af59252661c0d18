/** One late value among so many does not decide. */
const counted = 4;

/** How many times larger each value is than the one before: of the line through the last logarithms. 0 without two. */
export function growthOf(values: readonly number[]): number {
  const last = values.slice(-counted).map(Math.log);
  if (last.length < 2) return 0;
  const middle = (last.length - 1) / 2;
  let [rise, run] = [0, 0];
  for (const [i, value] of last.entries()) {
    rise += (i - middle) * value;
    run += (i - middle) ** 2;
  }
  return Math.exp(rise / run);
}
