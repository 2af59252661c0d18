import { finite, integer } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import type { Mask, TensorLike } from '../types.js';
import type { Stack } from './parts.js';
import type { ModelOptions } from './types.js';

/** What is done to layers beside what the model does. */
export interface LayerOptions {
  /** One for each layer. */
  readonly masks: readonly (Mask | TensorLike | undefined)[];
  /** Heads of each layer whose values are taken as zero. */
  readonly ablated: readonly (readonly number[])[];
  readonly temperature: number;
}

export const layerKeys = ['mask', 'ablateHeads', 'attentionTemperature'] as const;

export function readLayerOptions(options: ModelOptions, layers: number, heads: number): LayerOptions {
  const temperature = finite('options.attentionTemperature', options.attentionTemperature ?? 1);
  if (temperature <= 0) throw invalid('options.attentionTemperature', temperature, 'above 0');
  return {
    masks: masksOf(options.mask, layers),
    ablated: ablatedOf(options.ablateHeads, layers, heads),
    temperature,
  };
}

/** Of layers that are left as they are. */
export function plainLayers({ blocks, heads }: Stack): LayerOptions {
  return readLayerOptions({}, blocks.length, heads);
}

function masksOf(mask: ModelOptions['mask'], layers: number): LayerOptions['masks'] {
  if (!Array.isArray(mask)) return Array(layers).fill(mask);
  if (mask.length !== layers) {
    throw new AttentionError(
      'SHAPE_MISMATCH',
      'options.mask',
      `got ${mask.length} masks, wanted one for each of ${layers} layers`,
    );
  }
  return mask.map((one) => one ?? undefined);
}

function ablatedOf(given: ModelOptions['ablateHeads'], layers: number, heads: number): LayerOptions['ablated'] {
  const argument = 'options.ablateHeads';
  const ablated: number[][] = Array.from({ length: layers }, () => []);
  if (given === undefined) return ablated;
  if (!Array.isArray(given)) throw invalid(argument, given, 'an array of [layer, head]');
  for (const pair of given) {
    if (!Array.isArray(pair) || pair.length !== 2) throw invalid(argument, pair, '[layer, head]');
    const layer = integer(argument, pair[0], 0, layers - 1);
    (ablated[layer] as number[]).push(integer(argument, pair[1], 0, heads - 1));
  }
  return ablated;
}
