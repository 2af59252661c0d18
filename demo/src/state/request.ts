import { computed, signal } from '@preact/signals';
import { noMask } from '../engine/mask';
import type { LensSpec, ModelName, PassSpec, Place } from '../engine/protocol';
import { examplePass } from '../example';

// What the visitor asks for. Every one of these may stand in an address; the worker answers them as a whole.

export const text = signal(examplePass.text);
export const model = signal<ModelName>(examplePass.model);
/** How many own models have been opened: another one reads the same text anew. */
export const ownModels = signal(0);
export const length = signal(examplePass.length);
export const mask = signal(noMask);
/** Heads switched off. */
export const ablated = signal<PassSpec['ablated']>([]);
export const temperature = signal(1);

export const lensKind = signal<LensSpec['kind']>('heads');
export const separatorsHidden = signal(false);
export const weighting = signal<LensSpec['weighting']>('attention');

export const place = signal<Place>({ layer: 3, head: 1 });

export const pass = computed<PassSpec>(() => ({
  model: model.value,
  ...(model.value === 'own' && { own: ownModels.value }),
  // The long sequence is made without a text.
  text: model.value === 'long' ? '' : text.value,
  length: length.value,
  mask: mask.value,
  ablated: ablated.value,
  temperature: temperature.value,
}));

export const lens = computed<LensSpec>(() => ({
  kind: lensKind.value,
  hideSeparators: separatorsHidden.value,
  weighting: weighting.value,
}));

export function openHead(layer: number, head: number): void {
  place.value = { layer, head };
}
