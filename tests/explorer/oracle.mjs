// What the page ought to show, in double precision and plain loops: softmax over the engine's own queries and keys.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** May a query attend to a key? All may, unless a rule says otherwise. */
const all = () => true;

/**
 * Of layers as `forward` gives their projections: `weight(layer, head, query, key)`. `lens` is how the page is told to
 * look: { inner: [from, to] } where separators are hidden, { value: true } for shares of ‖α·v‖, { rollout: true }.
 */
export function weightsOf(layers, { inner, value = false, rollout = false, rule = all } = {}) {
  const size = layers[0].query.shape[2];
  const [from, to] = inner ?? [0, size];
  const rows = new Map();
  const rowOf = (layer, head, query) => {
    const name = `${layer} ${head} ${query}`;
    if (!rows.has(name)) rows.set(name, softmaxRow(layers[layer], head, query, [from, to], { rule, value }));
    return rows.get(name);
  };
  if (!rollout) return (layer, head, query, key) => rowOf(layer, head, query)[key];

  const products = rollouts(layers, (layer, head, query) =>
    softmaxRow(layers[layer], head, query, [0, size], { rule, value: false }),
  );
  const renormalised = (row) => {
    const inside = row.slice(from, to).reduce((a, b) => a + b, 0);
    return (key) => row[key] / inside;
  };
  return (layer, _head, query, key) => renormalised(products[layer][query])(key);
}

function softmaxRow({ query: q, key: k, value: v, scale }, head, query, [from, to], { rule, value }) {
  const [, heads, size, dims] = q.shape;
  const kvHead = Math.floor((head * k.shape[1]) / heads);
  const scores = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  for (let key = from; key < to; key++) {
    if (!rule(query, key)) continue;
    let dot = 0;
    for (let d = 0; d < dims; d++)
      dot += q.data[(head * size + query) * dims + d] * k.data[(kvHead * size + key) * dims + d];
    scores[key] = scale * dot + (value ? Math.log(normOf(v, kvHead, key)) : 0);
  }
  const largest = Math.max(...scores);
  if (largest === Number.NEGATIVE_INFINITY) return new Float64Array(size);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function normOf({ data, shape: [, , size, dims] }, head, key) {
  let sum = 0;
  for (let d = 0; d < dims; d++) sum += data[(head * size + key) * dims + d] ** 2;
  return Math.sqrt(sum);
}

/** Of each layer Â_l·…·Â_1 with Â = (A + I) / 2, A the mean of the heads (Abnar & Zuidema 2020). */
function rollouts(layers, rowOf) {
  const [, heads, size] = layers[0].query.shape;
  const places = Array.from({ length: size }, (_, i) => i);
  const products = [];
  layers.forEach((_, layer) => {
    const mixed = places.map((query) => {
      const row = new Float64Array(size);
      for (let head = 0; head < heads; head++) {
        const weights = rowOf(layer, head, query);
        for (let key = 0; key < size; key++) row[key] += weights[key] / heads;
      }
      row[query] += 1;
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((p) => p / sum);
    });
    const below = products.at(-1);
    products.push(below ? mixed.map((row) => timesMatrix(row, below)) : mixed);
  });
  return products;
}

function timesMatrix(row, matrix) {
  const result = new Float64Array(row.length);
  row.forEach((p, i) => {
    for (let j = 0; j < result.length; j++) result[j] += p * matrix[i][j];
  });
  return result;
}

/** Of a block of cells the value that is furthest from none, which is what a pooled cell shows. */
export function largestOf(valueAt, [r0, r1], [c0, c1]) {
  let largest = 0;
  for (let row = r0; row < r1; row++) {
    for (let column = c0; column < c1; column++) {
      const value = valueAt(row, column);
      if (!(Math.abs(value) <= Math.abs(largest))) largest = value;
    }
  }
  return largest;
}

const table = (name) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../demo/src/generated/${name}.json`, import.meta.url)), 'utf8'));
const scales = {
  weights: { colors: table('cividis'), position: (weight) => Math.sqrt(weight) },
  differences: {
    colors: table('differences'),
    position: (value) => (1 + Math.sign(value) * Math.sqrt(Math.abs(value))) / 2,
  },
};

/** On the scale from 0 to 1: so near to the boundary of two colours, float32 may fall on either side. */
const tolerance = 1e-4;

/** The colours a value may have, as [r, g, b, a]: one, or two where it lies on a boundary. */
export function colorsOf(value, scale = 'weights') {
  const { colors, position } = scales[scale];
  const at = Math.min(1, Math.max(0, position(value)));
  const numbers = new Set(
    [at - tolerance, at, at + tolerance].map((p) => Math.round(255 * Math.min(1, Math.max(0, p)))),
  );
  return [...numbers].map((number) => [...colors.slice(3 * number, 3 * number + 3), 255]);
}

/** Numbers from 0 to 1, the same for the same seed (Tommy Ettinger's mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
