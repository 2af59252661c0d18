import * as pack from '../../dist/index.js';
import { soak } from './workload.js';

globalThis.onmessage = ({ data }) => {
  soak(pack, { ...data, report: postMessage }).then(
    (done) => postMessage({ done }),
    (error) => postMessage({ error: String(error) }),
  );
};
