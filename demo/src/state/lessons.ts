import { signal } from '@preact/signals';

/** In the order of the panel. */
export const lessonIds = [
  'pronoun',
  'query-key-value',
  'many-heads',
  'causal-mask',
  'positions',
  'cost',
  'explanation',
] as const;

export type LessonId = (typeof lessonIds)[number];

/** Which lesson is open; an address may name one that is not there, and then none is. */
export const lesson = signal<string>('pronoun');
