import { batch, computed, effect, signal } from '@preact/signals';
import type { Effects } from '../engine/calls/effects';
import type { Reading } from '../engine/protocol';
import { currentEngine, phase } from './engine';
import { panel } from './panel';
import { ablated, temperature } from './request';
import { head, reading } from './shown';

export const isOff = (layer: number, head: number) => ablated.value.some(([l, h]) => l === layer && h === head);

/** Of each layer with heads switched off, in order; those that this model has. */
export const offHeads = computed(() => {
  const { layers, heads } = reading.value.model;
  return Array.from({ length: layers }, (_, layer) => ({
    layer,
    heads: Array.from({ length: heads }, (_, head) => head).filter((head) => isOff(layer, head)),
  })).filter(({ heads: off }) => off.length > 0);
});

export const isChanged = computed(() => ablated.value.length > 0 || temperature.value !== 1);

export function switchHeads(layer: number, heads: readonly number[], off: boolean): void {
  const others = ablated.peek().filter(([l, h]) => l !== layer || !heads.includes(h));
  ablated.value = off ? [...others, ...heads.map((head) => [layer, head] as const)] : others;
}

export function reset(): void {
  batch(() => {
    ablated.value = [];
    temperature.value = 1;
  });
}

/** What the changes do; null where there is no model to ask, or the text is too long. Kept until newer ones come. */
export const effects = signal<{ of: Reading; result: Effects | null } | null>(null);

/** Only while it is looked at. Any newer look ends the work, and asks again with its answer. */
effect(() => {
  const of = reading.value;
  const { ablated, temperature } = of.pass;
  // Every look has a head of its own.
  if (head.value.serial === 0 || panel.value !== 'compare' || phase.value !== 'ready') return;
  if ((ablated.length === 0 && temperature === 1) || effects.peek()?.of === of) return;
  currentEngine()
    ?.call('effects', undefined)
    .then(
      (result) => {
        if (reading.peek() === of) effects.value = { of, result };
      },
      () => {},
    );
});
