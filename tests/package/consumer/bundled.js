// All of the package and a user's first calls, to be bundled into one script.
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { smallLlamaWrites } from './cases/model.js';
import { useEngine } from './use.js';

export { createAttention, createAttentionWorker };

/** What comes of loading with these options: the first calls, or how it is refused. */
export async function outcome(options) {
  try {
    const attention = await createAttention(options);
    const { threadsReason } = attention.info;
    const tokens = await smallLlamaWrites((files) => createModel(attention, files));
    const result = { ...useEngine(attention), tokens, ...(threadsReason && { threadsReason }) };
    attention.dispose();
    return result;
  } catch (error) {
    return refusal(error);
  }
}

/** The same of an engine in a worker. */
export async function remoteOutcome(options) {
  try {
    const attention = await createAttentionWorker(options);
    const x = { data: Float32Array.of(1, 0, 0, 2, 2, 1), shape: [3, 2] };
    const { output } = await attention.scaledDotProductAttention(x, x, x, { causal: true });
    const { variant, threads, threadsReason } = attention.info;
    attention.dispose();
    return { variant, threads, firstRow: [...output.data.slice(0, 2)], ...(threadsReason && { threadsReason }) };
  } catch (error) {
    return refusal(error);
  }
}

function refusal({ name, code, message }) {
  return { name, code, message };
}
