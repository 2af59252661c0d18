import type { Reading } from './attention/reading';
import example from './generated/example.json';

function decode(base64: string): Float32Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** The opening sentence as the model read it when the page was built. */
export const exampleReading: Reading = {
  ...example,
  layers: example.layers.map(decode),
  cut: null,
  milliseconds: null,
  variant: null,
};
