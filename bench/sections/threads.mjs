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
    const closers = [];
    try {
      const times = await interleave(await callsOf(1024, closers), effort);
      return Object.keys(times).map((name) => {
        const [who, count] = name.split(' ');
        return {
          who,
          threads: Number(count),
          ms: summary(times[name]),
          faster: timesFaster(times[name], times[`${who} 1`]),
        };
      });
    } finally {
      for (const close of closers) await close();
    }
  },
};

/** By name and number of threads. What ends them is added to `closers`. */
async function callsOf(length, closers) {
  const runs = {};
  for (const count of [1, 2]) {
    runs[`onnxruntime-web ${count}`] = await startPeer(count, length, closers);
    const engine = await engineOf(count);
    if (!engine) continue;
    closers.push(() => engine.dispose());
    runs[`attention-wasm ${count}`] = resident(engine, length);
  }
  return runs;
}

/** Undefined where this build has no threads yet. */
async function engineOf(count) {
  if (count === 1) return createAttention();
  try {
    return await createAttention({ threads: count });
  } catch (error) {
    if (error.argument === 'options.threads') return undefined;
    throw error;
  }
}

function resident(engine, length) {
  const shape = [1, heads, length, size];
  const [q, k, v] = [1, 2, 3].map((seed) => engine.tensor({ data: randomArray(heads * length * size, seed), shape }));
  const out = engine.zeros(shape);
  return () => engine.scaledDotProductAttention(q, k, v, { out });
}

/** onnxruntime-web's number of threads is one for a process, hence a worker for each; a message takes some 20 µs. */
async function startPeer(count, length, closers) {
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
