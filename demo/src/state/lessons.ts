import { signal } from '@preact/signals';

/** Which lesson is open. */
export const lesson = signal('pronoun');
