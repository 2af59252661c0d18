import { finite, integer } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { isMask, refuseUnbuilt } from '../masks/index.js';
import { operand } from '../operand.js';
import { ResidentTensor } from '../tensor.js';
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
  if (temperature <= 0 || !Number.isFinite(Math.fround(1 / temperature))) {
    throw invalid('options.attentionTemperature', temperature, 'above 0, its inverse a float32');
  }
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
  if (!Array.isArray(mask))
    return Array(layers).fill(mask === undefined ? undefined : asGiven(mask as Mask | TensorLike));
  if (mask.length !== layers) {
    throw new AttentionError(
      'SHAPE_MISMATCH',
      'options.mask',
      `got ${mask.length} masks, wanted one for each of ${layers} layers`,
    );
  }
  return mask.map((one) => (one === null || one === undefined ? undefined : asGiven(one)));
}

/** A copy of a tensor in JavaScript memory: the call may come later. What is no mask the first layer's attention refuses. */
function asGiven(mask: Mask | TensorLike): Mask | TensorLike {
  if (isMask(mask)) return mask;
  refuseUnbuilt('options.mask', mask);
  const { values, shape, dtype, given } = operand('options.mask', mask);
  if (values instanceof ResidentTensor || (dtype !== 'float32' && dtype !== 'bool' && dtype !== 'float16')) return mask;
  return { data: values.slice(), shape, dtype: given } as TensorLike;
}

/** True where a mask is as large as the pass: it cannot be read a part at a time. */
export function hasDenseMask({ masks }: LayerOptions): boolean {
  return masks.some((mask) => mask !== undefined && !isMask(mask));
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
