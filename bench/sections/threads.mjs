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
    const runs = {};
    const closers = [];
    for (const count of [1, 2]) {
      const engine = await threadedEngine(count);
      if (!engine) continue;
      runs[`attention-wasm ${count}`] = resident(engine, length);
      closers.push(() => engine.dispose());
      const peer = await startPeer(count, length);
      runs[`onnxruntime-web ${count}`] = peer.run;
      closers.push(peer.close);
    }
    const times = await interleave(runs, effort);
    for (const close of closers) await close();
    return Object.keys(runs).map((name) => {
      const [who, count] = name.split(' ');
      return {
        who,
        threads: Number(count),
        ms: summary(times[name]),
        faster: timesFaster(times[name], times[`${who} 1`]),
      };
    });
  },
};

/** Undefined where this build has no threads yet. */
async function threadedEngine(count) {
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
async function startPeer(count, length) {
  const workerData = { threads: count, shape: { heads, length, size, causal: false } };
  const worker = new Worker(new URL('../peers/onnxruntime-worker.mjs', import.meta.url), { workerData });
  const answer = () =>
    new Promise((done, fail) => {
      worker.once('message', done);
      worker.once('error', fail);
    });
  await answer();
  return {
    run: () => {
      worker.postMessage('run');
      return answer();
    },
    close: () => worker.terminate(),
  };
}
