import type { Attention, Mask } from 'attention-wasm';
import { inside, type Lensed, maskOption } from '../layers';
import { attends } from '../mask';
import type { Pass } from '../pass';
import type { Session } from '../session';
import { isSpecial } from '../special';

export interface SearchSpec {
  /** Null: any; then the largest weight counts. */
  from: number | null;
  to: number | null;
}

/** What heads are ranked by: the weight of a pair, means over the queries of what they give to one key, and their entropy in bits. */
export const detectors = ['pair', 'previous', 'next', 'same', 'separators', 'entropy'] as const;
export type Detector = (typeof detectors)[number];

export interface Found {
  layers: number;
  heads: number;
  /** Of each, [layers, heads]. */
  values: Record<Detector, Float32Array>;
  /** The same of a head that spreads evenly over the keys it may attend to. */
  even: Record<Detector, number>;
}

/** Milliseconds after which typing gets its turn. */
const longestStretch = 8;

/** Looks at every head of what is on screen; null where nothing is. Rejects when something newer is asked for. */
export async function search({ attention, pass, lensed, signal }: Session, spec: SearchSpec): Promise<Found | null> {
  if (!pass || !lensed || lensed.range[0] >= lensed.range[1]) return null;
  const [layers, heads] = [lensed.layers.length, lensed.layers[0].heads];
  const values = Object.fromEntries(
    detectors.map((name) => [name, new Float32Array(layers * heads)]),
  ) as Found['values'];
  const view = viewOf(attention, pass, lensed, spec);
  let start = performance.now();
  for (let layer = 0; layer < layers; layer++) {
    pairsOf(attention, lensed, layer, view, values.pair);
    entropiesOf(attention, lensed, layer, view, values.entropy);
    for (let head = 0; head < heads; head++) {
      placesOf(lensed, layer, head, view, values);
      if (performance.now() - start < longestStretch) continue;
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      start = performance.now();
    }
  }
  return { layers, heads, values, even: evenOf(view) };
}

/** What all heads have in common. */
interface View {
  size: number;
  range: readonly [number, number];
  mask: Mask | null;
  /** [S] keys that each query may attend to. */
  counts: Float64Array;
  rows: readonly [number, number];
  columns: readonly [number, number];
  separators: number[];
  isAttended(query: number, key: number): boolean;
}

function viewOf(attention: Attention, pass: Pass, { rule, range }: Lensed, { from, to }: SearchSpec): View {
  const size = pass.tokens.length;
  const mask = inside(attention, rule, range, size);
  // Scores of nothing but zeros: the sum of their exponentials is the count.
  const zeros = { data: new Float32Array(size), shape: [1, 1, size, 1] };
  const { logSumExp } = attention.scaledDotProductAttention(zeros, zeros, zeros, {
    logSumExp: true,
    ...maskOption(mask),
  });
  const counts = Float64Array.from(logSumExp.data, (sum) => Math.round(Math.exp(sum)));
  const one = (token: number | null) =>
    token === null || !within(token, range) ? range : ([token, token + 1] as const);
  const separators = pass.tokens.flatMap((token, key) => (isSpecial(token) && within(key, range) ? [key] : []));
  return {
    size,
    range,
    mask,
    counts,
    rows: one(from),
    columns: one(to),
    separators,
    isAttended: (query, key) =>
      within(key, range) &&
      (rule === null || ((!pass.isCausal || key <= query) && attends(pass.spec.mask, size, query, key))),
  };
}

const within = (token: number, [from, to]: readonly [number, number]) => token >= from && token < to;

/** As the engine itself makes the map of a head, in one cell. */
function pairsOf(attention: Attention, lensed: Lensed, layer: number, { rows, columns }: View, into: Float32Array) {
  const { heads, kvHeads, size, dims, scale, query, key, logSumExp } = lensed.layers[layer];
  const map = attention.attentionMap(
    { data: query, shape: [1, heads, size, dims] },
    { data: key, shape: [1, kvHeads, size, dims] },
    {
      scale,
      ...maskOption(lensed.rule),
      rows,
      columns,
      size: [1, 1],
      logSumExp: { data: logSumExp, shape: [1, heads, size] },
    },
  );
  into.set(map.data, layer * heads);
}

/** −Σp·log p = log-sum-exp − Σp·score: with keys in the place of values one fused call gives Σp·k. */
function entropiesOf(attention: Attention, lensed: Lensed, layer: number, view: View, into: Float32Array) {
  const { heads, kvHeads, size, dims, scale, query, key } = lensed.layers[layer];
  const keys = { data: key, shape: [1, kvHeads, size, dims] };
  const { output, logSumExp } = attention.scaledDotProductAttention(
    { data: query, shape: [1, heads, size, dims] },
    keys,
    keys,
    { scale, logSumExp: true, ...maskOption(view.mask) },
  );
  for (let head = 0; head < heads; head++) {
    into[layer * heads + head] = meanOver(view, (token) => {
      const at = head * size + token;
      let mean = 0;
      for (let d = 0; d < dims; d++) mean += query[at * dims + d] * output.data[at * dims + d];
      return Math.max(0, logSumExp.data[at] - scale * mean) / Math.LN2;
    });
  }
}

/** What a head gives to the place before a query, after it, to itself and to the separators. */
function placesOf(lensed: Lensed, layer: number, head: number, view: View, values: Found['values']) {
  const { heads, kvHeads, size, dims, scale, query, key, logSumExp } = lensed.layers[layer];
  const kvHead = Math.floor((head * kvHeads) / heads);
  const weight = (q: number, k: number) => {
    if (!view.isAttended(q, k)) return 0;
    const [row, column] = [(head * size + q) * dims, (kvHead * size + k) * dims];
    let dot = 0;
    for (let d = 0; d < dims; d++) dot += query[row + d] * key[column + d];
    return Math.exp(scale * dot - logSumExp[head * size + q]);
  };
  const at = layer * heads + head;
  for (const name of ['previous', 'next', 'same', 'separators'] as const)
    values[name][at] = placeOf[name](view, weight);
}

type Weight = (query: number, key: number) => number;

const placeOf = {
  previous: (view: View, weight: Weight) =>
    meanOver(view, (query) => weight(query, query - 1), [view.range[0] + 1, view.range[1]]),
  next: (view: View, weight: Weight) =>
    meanOver(view, (query) => weight(query, query + 1), [view.range[0], view.range[1] - 1]),
  same: (view: View, weight: Weight) => meanOver(view, (query) => weight(query, query)),
  separators: (view: View, weight: Weight) =>
    meanOver(view, (query) => view.separators.reduce((sum, key) => sum + weight(query, key), 0)),
};

/** Over the queries that may attend to something. */
function meanOver({ counts, range }: View, of: (query: number) => number, [from, to] = range): number {
  let [sum, count] = [0, 0];
  for (let query = from; query < to; query++) {
    if (counts[query] === 0) continue;
    sum += of(query);
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

function evenOf(view: View): Found['even'] {
  const { counts, rows, columns, isAttended } = view;
  const weight: Weight = (query, key) => (isAttended(query, key) ? 1 / counts[query] : 0);
  let pair = 0;
  for (let query = rows[0]; query < rows[1]; query++) {
    // Where it attends to any of them, all weigh the same.
    for (let key = columns[0]; key < columns[1]; key++) {
      if (!isAttended(query, key)) continue;
      pair = Math.max(pair, weight(query, key));
      break;
    }
  }
  return {
    pair,
    previous: placeOf.previous(view, weight),
    next: placeOf.next(view, weight),
    same: placeOf.same(view, weight),
    separators: placeOf.separators(view, weight),
    entropy: meanOver(view, (query) => Math.log2(counts[query])),
  };
}
