import type { Attention, Mask } from 'attention-wasm';
import type { LayerProjections } from 'attention-wasm/models';
import type { Layer } from './layers';
import { cutTokens } from './limits';
import { longSequence } from './long';
import { allOf, ruleOf } from './mask';
import type { Loaded } from './minilm';
import type { ModelInfo, PassSpec, Reading } from './protocol';
import { innerOf } from './special';

/** A pass through a model, and what any weight of it can be computed from. */
export interface Pass extends Omit<Reading, 'pass' | 'engine'> {
  spec: PassSpec;
  layers: readonly Layer[];
  /** Who attends to whom, the model's own rule included. */
  rule: Mask | null;
}

/** Rejects with ABORTED between two layers once the signal is aborted. */
export async function readText(
  attention: Attention,
  { model, info, encode }: Loaded,
  spec: PassSpec,
  signal: AbortSignal,
): Promise<Pass> {
  const { ids, tokens, cut } = cutTokens(spec.text, encode, model.maxLength);
  const size = tokens.length;
  const mask = ruleOf(spec.mask, size);
  const layerMilliseconds: number[] = [];
  const start = performance.now();
  let last = start;
  const options = {
    projections: true,
    signal,
    ...optionsOf(info, spec, mask),
    onLayer() {
      const now = performance.now();
      layerMilliseconds.push(now - last);
      last = now;
    },
  };
  // A tokenizer that adds no tokens of its own makes none of an empty text.
  const projections = size > 0 ? (await model.forward(ids, options)).projections : null;
  const milliseconds = performance.now() - start;
  const rule = allOf([info.isDecoder ? attention.masks.causal() : null, mask]);
  const layers = projections ? layersOf(projections) : noLayers(info);
  return passOf({
    spec,
    info,
    tokens,
    ids,
    cut,
    layers,
    rule,
    milliseconds,
    layerMilliseconds,
    isCausal: info.isDecoder,
  });
}

export const layersOf = (projections: readonly LayerProjections[]): Layer[] =>
  projections.map(({ query, key, value, logSumExp, scale }) => ({
    heads: query.shape[1],
    kvHeads: key.shape[1],
    size: query.shape[2],
    dims: query.shape[3],
    scale,
    query: query.data,
    key: key.data,
    value: value.data,
    logSumExp: logSumExp.data,
  }));

function noLayers({ layers, heads }: ModelInfo): Layer[] {
  const none = new Float32Array(0);
  const layer = { heads, kvHeads: heads, size: 0, dims: 1, scale: 1, query: none, key: none, value: none };
  return Array.from({ length: layers }, () => ({ ...layer, logSumExp: none }));
}

/** What the model itself is asked to do otherwise. */
export function optionsOf(info: ModelInfo, { ablated, temperature }: PassSpec, mask: Mask | null) {
  const known = ablated.filter(([layer, head]) => layer < info.layers && head < info.heads);
  return {
    ...(mask && { mask }),
    ...(known.length > 0 && { ablateHeads: known }),
    ...(temperature !== 1 && { attentionTemperature: temperature }),
    ...(info.isDecoder && { logits: false as const }),
  };
}

const longInfo: ModelInfo = {
  title: 'made by a rule',
  type: 'none',
  layers: 1,
  heads: 4,
  bytes: 0,
  maxLength: 16_384,
  isDecoder: false,
  weights: 'none',
};

/** Queries and keys of any length without a model: only the attention itself is computed. */
export function readLong(attention: Attention, spec: PassSpec): Pass {
  const { layer, tokens } = longSequence(attention, spec.length, longInfo.heads);
  const rule = ruleOf(spec.mask, spec.length);
  const start = performance.now();
  const shape = [1, layer.heads, layer.size, layer.dims];
  const value = layer.value as Float32Array;
  const { logSumExp } = attention.scaledDotProductAttention(
    { data: layer.query, shape },
    { data: layer.key, shape },
    { data: value, shape: [1, layer.heads, layer.size, value.length / layer.heads / layer.size] },
    { scale: layer.scale / spec.temperature, logSumExp: true, ...(rule && { mask: rule }) },
  );
  const milliseconds = performance.now() - start;
  const layers = [{ ...layer, scale: layer.scale / spec.temperature, logSumExp: logSumExp.data }];
  const given = { spec, info: longInfo, tokens, ids: [], cut: null, isCausal: false };
  return passOf({ ...given, layers, rule, milliseconds, layerMilliseconds: [milliseconds] });
}

interface Parts extends Omit<Pass, 'model' | 'inner' | 'density'> {
  info: ModelInfo;
}

function passOf({ info, ...parts }: Parts): Pass {
  const size = parts.tokens.length;
  return { ...parts, model: info, inner: innerOf(parts.tokens), density: densityOf(parts.rule, size) };
}

function densityOf(rule: Mask | null, size: number): number {
  return rule && size > 0 ? rule.density({ queries: size, keys: size }) : 1;
}
