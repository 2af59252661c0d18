import type { Attention, Mask } from 'attention-wasm';
import { noMask } from './mask';
import type { Pass } from './pass';
import type { HeadData, LensSpec, Overview, Place, Tile, TileSpec } from './protocol';

/** What the weights of one layer are made of: exp(scale·q·k − logSumExp) where the rule lets a pair attend. */
export interface Layer {
  heads: number;
  kvHeads: number;
  size: number;
  dims: number;
  scale: number;
  /** [H, S, D] */
  query: Float32Array;
  /** [Hkv, S, D] */
  key: Float32Array;
  /** [Hkv, S, Dv] */
  value: Float32Array | null;
  /** [H, S] */
  logSumExp: Float32Array;
}

/** Layers as a lens shows them. */
export interface Lensed {
  lens: LensSpec;
  layers: readonly LensedLayer[];
  rule: Mask | null;
  range: readonly [number, number];
}

/** `keyBias` [H, S] is added to the scores: as one more dimension of queries and keys, so that the engine's own kernels see it. */
interface LensedLayer extends Layer {
  keyBias: Float32Array | null;
  plain: Layer;
}

/** Cells a side of a head's picture among all heads. */
const overviewCells = 32;
/** Cells a side of a tile, and of the picture of a whole head. */
const tileCells = 256;

/** Weights that are given rather than computed, as a layer: their logarithms are the scores of unit keys. */
export function layerOfWeights(weights: Float32Array, heads: number, size: number): Layer {
  const key = new Float32Array(heads * size * size);
  for (let i = 0; i < heads * size; i++) key[i * size + (i % size)] = 1;
  // The logarithm of nothing would be NaN times the zeros of a unit key.
  const query = weights.map((weight) => Math.log(Math.max(weight, 1e-37)));
  const logSumExp = new Float32Array(heads * size);
  return { heads, kvHeads: heads, size, dims: size, scale: 1, query, key, value: null, logSumExp };
}

export function applyLens(attention: Attention, pass: Pass, layers: readonly Layer[], lens: LensSpec): Lensed {
  const range = lens.hideSeparators ? pass.inner : ([0, pass.tokens.length] as const);
  const rule = lens.kind === 'rollout' ? null : pass.rule;
  return { lens, rule, range, layers: layers.map((layer) => lensed(attention, layer, lens, rule, range)) };
}

function lensed(
  attention: Attention,
  plain: Layer,
  { weighting }: LensSpec,
  rule: Mask | null,
  range: readonly [number, number],
): LensedLayer {
  const biased = weighting === 'value' && plain.value ? withValueNorms(plain) : { ...plain, keyBias: null };
  const isWhole = range[0] === 0 && range[1] === plain.size;
  if (!biased.keyBias && isWhole) return { ...biased, plain };
  // Rows are renormalised over the keys that are left, so the others are left out of the sum.
  const { heads, kvHeads, size, dims, scale } = biased;
  const { logSumExp } = attention.scaledDotProductAttention(
    { data: biased.query, shape: [1, heads, size, dims] },
    { data: biased.key, shape: [1, kvHeads, size, dims] },
    { data: biased.key, shape: [1, kvHeads, size, dims] },
    { scale, logSumExp: true, ...maskOption(inside(attention, rule, range, size)) },
  );
  return { ...biased, plain, logSumExp: logSumExp.data };
}

export const maskOption = (mask: Mask | null) => (mask ? { mask } : {});

/** The rule within the shown range; null where every pair attends. */
export function inside(
  { masks }: Attention,
  rule: Mask | null,
  [from, to]: readonly [number, number],
  size: number,
): Mask | null {
  if (from === 0 && to === size) return rule;
  const attended = Uint8Array.from({ length: size }, (_, key) => Number(key >= from && key < to));
  const kept = masks.keyPadding({ data: attended, shape: [1, size], dtype: 'bool' });
  return rule ? rule.and(kept) : kept;
}

/** Scores plus log ‖v‖: the softmax then gives each key's share of ‖α·v‖. */
function withValueNorms(layer: Layer): Layer & { keyBias: Float32Array } {
  const { heads, kvHeads, size, dims, scale, value } = layer;
  const keyBias = new Float32Array(kvHeads * size);
  const valueDims = (value as Float32Array).length / keyBias.length;
  for (let i = 0; i < keyBias.length; i++) {
    let sum = 0;
    for (let d = 0; d < valueDims; d++) sum += (value as Float32Array)[i * valueDims + d] ** 2;
    keyBias[i] = Math.log(Math.max(sum, 1e-30)) / 2;
  }
  return {
    ...layer,
    dims: dims + 1,
    query: widened(layer.query, heads * size, dims, () => 1 / scale),
    key: widened(layer.key, kvHeads * size, dims, (row) => keyBias[row]),
    keyBias,
  };
}

function widened(rows: Float32Array, count: number, dims: number, last: (row: number) => number): Float32Array {
  const wide = new Float32Array(count * (dims + 1));
  for (let row = 0; row < count; row++) {
    wide.set(rows.subarray(row * dims, (row + 1) * dims), row * (dims + 1));
    wide[row * (dims + 1) + dims] = last(row);
  }
  return wide;
}

/** A picture of every head, a layer at a time, so that whoever makes a large one can stop in between. */
export function* overviewOf(attention: Attention, { layers, rule, range }: Lensed): Generator<void, Overview> {
  const { heads } = layers[0];
  const side = Math.min(overviewCells, range[1] - range[0]);
  const cells = new Float32Array(layers.length * heads * side * side);
  for (const [index, { kvHeads, size, dims, scale, query, key, logSumExp }] of layers.entries()) {
    if (side === 0) break;
    const map = attention.attentionMap(
      { data: query, shape: [1, heads, size, dims] },
      { data: key, shape: [1, kvHeads, size, dims] },
      {
        scale,
        ...maskOption(rule),
        rows: range,
        columns: range,
        size: [side, side],
        logSumExp: { data: logSumExp, shape: [1, heads, size] },
      },
    );
    cells.set(map.data, index * heads * side * side);
    yield;
  }
  return { layers: layers.length, heads, side, cells };
}

/** One head of a lensed pass, which tiles are made of. */
export interface Head {
  place: Place;
  size: number;
  dims: number;
  scale: number;
  query: Float32Array;
  key: Float32Array;
  logSumExp: Float32Array;
  rule: Mask | null;
  range: readonly [number, number];
}

/** An address, or the model before, may have had more heads: then it is the last one. */
export function headOf({ layers, rule, range }: Lensed, asked: Place): Head {
  const layer = Math.min(asked.layer, layers.length - 1);
  const { heads, kvHeads, size, dims, scale, query, key, logSumExp } = layers[layer];
  const place = { layer, head: Math.min(asked.head, heads - 1) };
  const kvHead = Math.floor((place.head * kvHeads) / heads);
  return {
    place,
    size,
    dims,
    scale,
    rule,
    range,
    query: query.subarray(place.head * size * dims, (place.head + 1) * size * dims),
    key: key.subarray(kvHead * size * dims, (kvHead + 1) * size * dims),
    logSumExp: logSumExp.subarray(place.head * size, (place.head + 1) * size),
  };
}

/** What the page is given of it: its own copies, since the worker goes on with these. */
export function headData(
  attention: Attention,
  serial: number,
  pass: Pass,
  { lens, layers }: Lensed,
  head: Head,
): HeadData {
  const { plain, keyBias } = layers[head.place.layer];
  const { heads, kvHeads, size, dims, query, key, value, scale } = plain;
  const { place, range, logSumExp } = head;
  const kvHead = Math.floor((place.head * kvHeads) / heads);
  const copy = (rows: Float32Array, index: number, count: number) =>
    rows.slice((index * rows.length) / count, ((index + 1) * rows.length) / count);
  const length = range[1] - range[0];
  const cells = Math.min(tileCells, length);
  return {
    ...place,
    serial,
    lens,
    size,
    dims,
    scale,
    query: copy(query, place.head, heads),
    key: copy(key, kvHead, kvHeads),
    value: value && copy(value, kvHead, kvHeads),
    keyBias: keyBias && copy(keyBias, kvHead, kvHeads),
    logSumExp: logSumExp.slice(),
    range,
    mask: lens.kind === 'rollout' ? noMask : pass.spec.mask,
    isCausal: lens.kind === 'heads' && pass.isCausal,
    root: tileOf(attention, head, { rows: [0, length], columns: [0, length], size: [cells, cells] }),
  };
}

export function tileOf(attention: Attention, head: Head, { rows, columns, size }: Omit<TileSpec, 'source'>): Tile {
  const [first] = head.range;
  if (size[0] === 0) return { rows, columns, size, cells: new Float32Array(0) };
  const shape = [1, 1, head.size, head.dims];
  const map = attention.attentionMap(
    { data: head.query, shape },
    { data: head.key, shape },
    {
      scale: head.scale,
      ...maskOption(head.rule),
      rows: [first + rows[0], first + rows[1]],
      columns: [first + columns[0], first + columns[1]],
      size,
      logSumExp: { data: head.logSumExp, shape: [1, 1, head.size] },
    },
  );
  return { rows, columns, size, cells: map.data };
}

/** `ours` less `theirs`; of each block the difference furthest from none. */
export function differenceOf(
  attention: Attention,
  ours: Head,
  theirs: Head,
  { rows, columns, size }: Omit<TileSpec, 'source'>,
): Tile {
  const cells = new Float32Array(size[0] * size[1]);
  const length = columns[1] - columns[0];
  // A strip of rows at a time: at full size both would take S² cells.
  for (let row = 0; row < size[0]; row++) {
    const strip = [cut(rows, size[0], row), cut(rows, size[0], row + 1)] as const;
    const spec = { rows: strip, columns, size: [strip[1] - strip[0], length] as const };
    const a = tileOf(attention, ours, spec).cells;
    const b = tileOf(attention, theirs, spec).cells;
    for (let i = 0; i < a.length; i++) {
      // The cell c whose part, from floor(c·n/C) to floor((c+1)·n/C), has this column.
      const cell = row * size[1] + Math.ceil((((i % length) + 1) * size[1]) / length) - 1;
      const difference = a[i] - b[i];
      if (Math.abs(difference) > Math.abs(cells[cell])) cells[cell] = difference;
    }
  }
  return { rows, columns, size, cells };
}

const cut = ([from, to]: readonly [number, number], parts: number, part: number) =>
  from + Math.floor((part * (to - from)) / parts);
