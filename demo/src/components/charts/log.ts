/** From a value to its place on a logarithmic axis. */
export type Axis = (value: number) => number;

export function logAxis([least, most]: readonly [number, number], [from, to]: readonly [number, number]): Axis {
  const [a, b] = [Math.log(least), Math.log(most)];
  return (value) => (a === b ? (from + to) / 2 : from + ((Math.log(value) - a) / (b - a)) * (to - from));
}

/** Powers of ten that hold all values between them: at least one decade. */
export function decades(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most));
  return [10 ** first, 10 ** Math.max(last, first + 1)];
}

export function powersOfTen([least, most]: readonly [number, number]): number[] {
  const first = Math.round(Math.log10(least));
  const count = Math.round(Math.log10(most)) - first + 1;
  return Array.from({ length: count }, (_, i) => 10 ** (first + i));
}

/** Moves places apart to at least `gap`, none further than needed, their order kept. They may pass `most` only if there is no room. */
export function apart(places: readonly number[], gap: number, most: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const moved = [...places];
  for (let i = 1; i < order.length; i++) moved[order[i]] = Math.max(moved[order[i]], moved[order[i - 1]] + gap);
  let ceiling = most;
  for (const i of order.reverse()) {
    moved[i] = Math.min(moved[i], ceiling);
    ceiling = moved[i] - gap;
  }
  return moved;
}
