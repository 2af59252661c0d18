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
    if (look.overview) overview.value = look.overview;
    if (look.head) head.value = look.head;
  });
}
