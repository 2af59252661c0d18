// Soaks here with one thread, or in a worker with several: `?seconds=…&threads=…`.
import * as pack from '../../dist/index.js';
import { soak } from './workload.js';

const { seconds, threads } = Object.fromEntries(new URLSearchParams(location.search));
const asked = { seconds: Number(seconds), options: { threads: Number(threads) } };
const tell = (progress) => {
  globalThis.progress = progress;
};

globalThis.result = undefined;
if (asked.options.threads === 1) {
  soak(pack, { ...asked, report: tell }).then(finish, fail);
} else {
  const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => (data.done ? finish(data.done) : data.error ? fail(data.error) : tell(data));
  worker.postMessage(asked);
}

function finish(totals) {
  globalThis.result = { ...totals, heapBytes: performance.memory?.usedJSHeapSize };
}
function fail(error) {
  globalThis.result = { error: String(error) };
}
