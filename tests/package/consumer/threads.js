// Bundlers know a worker by a literal address, which under Trusted Types only a default policy can bless.
globalThis.trustedTypes?.createPolicy('default', { createScriptURL: (url) => url });
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

worker.onmessage = ({ data }) => {
  globalThis.result = data;
};
worker.onerror = (event) => {
  globalThis.result = { error: event.message ?? 'The worker did not start.' };
};
