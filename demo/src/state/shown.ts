import { batch, computed, signal } from '@preact/signals';
import type { HeadData, Look, Overview, Reading } from '../engine/protocol';
import { exampleLook } from '../example';
import { lens, place } from './request';

// What is on screen: the newest answer of the worker, at first the bundled example.

const first = exampleLook(lens.peek(), place.peek());

export const reading = signal<Reading>(first.reading);
export const overview = signal<Overview>(first.overview);
export const head = signal<HeadData>(first.head);

/** Tokens with nothing between the special ones are no text to look at. */
export const isEmpty = computed(() => reading.value.inner[0] >= reading.value.inner[1]);

export function show(look: Look): void {
  batch(() => {
    if (look.reading) reading.value = look.reading;
    overview.value = look.overview ?? kept(look.reading);
    if (look.head) head.value = look.head;
  });
}

/** Until the pictures of a long text arrive: those of the one before, or none where the model has other heads. */
function kept(next: Reading | undefined): Overview {
  const { layers, heads } = overview.value;
  if (!next || (next.model.layers === layers && (next.model.heads === heads || heads === 1))) return overview.value;
  return { layers: next.model.layers, heads: next.model.heads, side: 0, cells: new Float32Array(0) };
}
