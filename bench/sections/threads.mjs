// Two threads beside one, and onnxruntime-web with two.
import { Worker } from 'node:worker_threads';
import { createAttention } from '../../dist/index.js';
import { randomArray } from '../data.mjs';
import { interleave, summary, timesFaster } from '../statistics.mjs';

const heads = 12;
const size = 64;

export const threads = {
  name: 'threads',
  title: 'Two threads and one, 1,024 tokens, 12 heads of 64',
  columns: { who: 'who', threads: 'threads', ms: 'ms', faster: 'times faster than its one thread' },
  rows: async ({ effort }) => {
    const length = 1024;
    // One after the other: an idle pool of one may spin while the other is measured.
    return [
      ...(await rowsOf('attention-wasm', (count, closers) => ourCall(count, length, closers), effort)),
      ...(await rowsOf('onnxruntime-web', (count, closers) => peerCall(count, length, closers), effort)),
    ];
  },
};

/** `call` makes a call with a number of threads, and adds what ends it to `closers`. */
async function rowsOf(who, call, effort) {
  const closers = [];
  try {
    const runs = {};
    for (const count of [1, 2]) runs[count] = await call(count, closers);
    const times = await interleave(runs, effort);
    return Object.keys(runs).map((count) => ({
      who,
      threads: Number(count),
      ms: summary(times[count]),
      faster: timesFaster(times[count], times[1]),
    }));
  } finally {
    for (const close of closers) await close();
  }
}

async function ourCall(count, length, closers) {
  const engine = await createAttention({ threads: count });
  closers.push(() => engine.dispose());
  const shape = [1, heads, length, size];
  const [q, k, v] = [1, 2, 3].map((seed) => engine.tensor({ data: randomArray(heads * length * size, seed), shape }));
  const out = engine.zeros(shape);
  return () => engine.scaledDotProductAttention(q, k, v, { out });
}

/** onnxruntime-web's number of threads is one for a process, hence a worker for each; a message takes some 20 µs. */
async function peerCall(count, length, closers) {
  const workerData = { threads: count, shape: { heads, length, size, causal: false } };
  const worker = new Worker(new URL('../peers/onnxruntime-worker.mjs', import.meta.url), { workerData });
  closers.push(() => worker.terminate());
  const answer = () =>
    new Promise((done, fail) => {
      worker.once('message', (message) => {
        worker.off('error', fail);
        done(message);
      });
      worker.once('error', fail);
    });
  await answer();
  return () => {
    worker.postMessage('run');
    return answer();
  };
}
