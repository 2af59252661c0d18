import type { Attention } from 'attention-wasm';
import type { Model } from 'attention-wasm/models';
import { applyLens, headOf, type Layer, tileOf } from '../layers';
import { ruleOf } from '../mask';
import type { Loaded } from '../minilm';
import { layersOf, optionsOf, type Pass } from '../pass';
import type { PassSpec } from '../protocol';
import type { Session } from '../session';

/** Beyond it every cell of every head takes longer than anyone waits. */
const mostTokens = 1024;
/** Milliseconds after which typing gets its turn. */
const longestStretch = 8;

/** What switching heads off, or another temperature, does to what comes after. */
export interface Effects {
  /** Of the sentence embedding, the mean over its tokens, with that of the unchanged model. */
  cosine: number;
  /** Of each layer's output ‖h − h₀‖ / ‖h₀‖. */
  hidden: number[];
  /** Of each layer the change of the cell of attention that changed most, and its head. */
  attention: { change: number; head: number }[];
}

/** What is compared of one pass. */
interface Run {
  /** Of each layer, [S, E]. */
  outputs: Float32Array[];
  last: Float32Array;
  layers: Layer[];
}

/** The unchanged model on the newest text: the same while heads are switched and the temperature slides. */
const unchanged = new WeakMap<Model, { key: string; run: Run }>();

/** Of the newest pass; null where it has no model, no tokens, or too many. Rejects when something newer is asked for. */
export async function effects(session: Session): Promise<Effects | null> {
  const { attention, models, pass, signal } = session;
  if (!pass || pass.spec.model === 'long') return null;
  if (pass.tokens.length === 0 || pass.tokens.length > mostTokens) return null;
  const loaded = await models.get(pass.spec.model);
  if (loaded.info !== pass.model) return null;
  const key = JSON.stringify([pass.ids, pass.spec.mask]);
  const kept = unchanged.get(loaded.model);
  const before = kept?.key === key ? kept.run : await run(loaded, pass, unchangedSpec(pass.spec), signal);
  unchanged.set(loaded.model, { key, run: before });
  const after = await run(loaded, pass, pass.spec, signal);
  const embedded = Math.max(1, pass.tokens.length - pass.spec.mask.padding);
  return {
    cosine: cosineOf(...both(before, after, ({ last }) => meanOf(last, pass.tokens.length, embedded))),
    hidden: before.outputs.map((output, layer) => relativeChange(output, after.outputs[layer])),
    attention: await largestCells(attention, pass, before.layers, after.layers, signal),
  };
}

const unchangedSpec = (spec: PassSpec): PassSpec => ({ ...spec, ablated: [], temperature: 1 });

const both = <T>(before: Run, after: Run, of: (run: Run) => T): [T, T] => [of(before), of(after)];

async function run({ model, info }: Loaded, { ids }: Pass, spec: PassSpec, signal: AbortSignal): Promise<Run> {
  const { hiddenStates, lastHiddenState, projections } = await model.forward(ids, {
    hiddenStates: true,
    projections: true,
    signal,
    ...optionsOf(info, spec, ruleOf(spec.mask, ids.length)),
  });
  return {
    outputs: (hiddenStates ?? []).slice(1).map(({ data }) => data),
    last: lastHiddenState.data,
    layers: layersOf(projections ?? []),
  };
}

async function largestCells(
  attention: Attention,
  pass: Pass,
  before: readonly Layer[],
  after: readonly Layer[],
  signal: AbortSignal,
): Promise<Effects['attention']> {
  const size = pass.tokens.length;
  const lens = { kind: 'heads', hideSeparators: false, weighting: 'attention' } as const;
  const full = { rows: [0, size], columns: [0, size], size: [size, size] } as const;
  const [old, now] = [before, after].map((layers) => applyLens(attention, pass, layers, lens));
  const largest = [];
  let start = performance.now();
  for (let layer = 0; layer < before.length; layer++) {
    let most = { change: 0, head: 0 };
    for (let head = 0; head < before[layer].heads; head++) {
      const [a, b] = [old, now].map((lensed) => tileOf(attention, headOf(lensed, { layer, head }), full).cells);
      let change = 0;
      for (let i = 0; i < a.length; i++) change = Math.max(change, Math.abs(b[i] - a[i]));
      if (change > most.change) most = { change, head };
      if (performance.now() - start < longestStretch) continue;
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      start = performance.now();
    }
    largest.push(most);
  }
  return largest;
}

/** Over the first `count` of `size` rows. */
function meanOf(rows: Float32Array, size: number, count: number): Float64Array {
  const width = rows.length / size;
  const mean = new Float64Array(width);
  for (let i = 0; i < count * width; i++) mean[i % width] += rows[i] / count;
  return mean;
}

function cosineOf(a: Float64Array, b: Float64Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}

function relativeChange(before: Float32Array, after: Float32Array): number {
  let [change, whole] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    change += (after[i] - before[i]) ** 2;
    whole += before[i] ** 2;
  }
  return Math.sqrt(change / whole);
}
