import * as pack from '../../dist/index.js';
import { soak } from './workload.js';

let measured;
/** The page can tell what all of it holds. */
const heapBytes = () =>
  new Promise((resolve) => {
    measured = resolve;
    postMessage({ heap: true });
  });

globalThis.onmessage = ({ data }) => {
  if ('bytes' in data) measured(data.bytes);
  else
    soak(pack, { ...data, heapBytes, report: postMessage }).then(
      (done) => postMessage({ done }),
      (error) => postMessage({ error: String(error) }),
    );
};
