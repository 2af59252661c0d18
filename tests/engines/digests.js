import { cases } from './cases/index.js';
import { modelCases } from './cases/model.js';

/** The name of each case, in order, and a digest of every bit of what it gives with this engine. */
export async function digests({ createAttention, createModel }, options, read) {
  const attention = await createAttention(options);
  const found = [];
  for (const [name, run] of cases) found.push([name, await digest(await run(attention))]);
  for (const [name, run] of modelCases)
    found.push([name, await digest(await run((...files) => createModel(attention, ...files), read))]);
  attention.dispose();
  return found;
}

/** SHA-256 over shapes and values; a NaN is a NaN, whatever its other bits. */
async function digest(result) {
  const parts = [...wordsOf(result)];
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Of the tensors in a result, however deep. */
function* wordsOf(result) {
  if (result === undefined) return;
  if (!(result.data instanceof Float32Array)) {
    for (const part of Object.values(result)) yield* wordsOf(part);
    return;
  }
  const { data, shape } = result;
  yield Uint32Array.from(shape);
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  yield words.map((word, n) => (Number.isNaN(data[n]) ? 0x7fc00000 : word));
}
