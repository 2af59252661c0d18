// onnxruntime-web with a number of threads of its own: says 'ready', then answers each message with a run.
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-web';
import { packHeads, randomArray } from '../data.mjs';
import { multiHeadAttention } from './attention-graphs.mjs';
import { attention } from './onnxruntime.mjs';

const { threads, shape } = workerData;
ort.env.wasm.numThreads = threads;
const random = (seed) => packHeads(randomArray(shape.heads * shape.length * shape.size, seed), shape);
const run = await attention(multiHeadAttention(shape), { query: random(1), key: random(2), value: random(3) });
parentPort.on('message', async () => {
  await run();
  parentPort.postMessage('done');
});
parentPort.postMessage('ready');
