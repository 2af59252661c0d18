// Gives a test `run(place, name, ...args)`: one of the checks, here or in a module worker.
import { checks } from './checks.js';

const policy = globalThis.trustedTypes?.createPolicy('tests', { createScriptURL: (url) => url });
const workerUrl = new URL('worker.js', import.meta.url).href;
const worker = new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module' });

globalThis.run = (place, name, ...args) => (place === 'worker' ? ask({ name, args }) : checks[name](...args));

function ask(message) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = (event) => reject(new Error(event.message ?? 'The worker did not start.'));
    worker.postMessage(message);
  });
}
