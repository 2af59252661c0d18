// Soaks here with one thread, or in a worker with several: `?seconds=…&threads=…`.
import * as pack from '../../dist/index.js';
import { soak } from './workload.js';

const { seconds, threads } = Object.fromEntries(new URLSearchParams(location.search));
const asked = { seconds: Number(seconds), options: { threads: Number(threads) } };
/** Of the page and its workers, after garbage has been collected. */
const heapBytes = async () => (await performance.measureUserAgentSpecificMemory?.())?.bytes;
const tell = (progress) => {
  globalThis.progress = progress;
};

globalThis.result = undefined;
if (asked.options.threads === 1) {
  soak(pack, { ...asked, heapBytes, report: tell }).then(finish, fail);
} else {
  const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => {
    if (data.done) finish(data.done);
    else if (data.error) fail(data.error);
    else if (data.heap) heapBytes().then((bytes) => worker.postMessage({ bytes }), fail);
    else tell(data);
  };
  worker.postMessage(asked);
}

function finish(totals) {
  globalThis.result = totals;
}
function fail(error) {
  globalThis.result = { error: String(error) };
}
