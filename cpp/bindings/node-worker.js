// Put before the glue of the threaded variants, which is written for web workers: gives a worker of worker_threads that
// the loader started as a thread what web workers have. Asked for at run time, so that bundlers see no Node module.
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
if (node?.workerData === 'em-pthread-attention') {
  const { parentPort } = node;
  parentPort.on('message', (data) => self.onmessage({ data }));
  const likeWeb = {
    self: globalThis,
    name: node.workerData,
    location: { href: '' },
    postMessage: (message) => parentPort.postMessage(message),
    // Never called: by one of them Emscripten tells that it is in a worker.
    importScripts() {},
    WorkerGlobalScope: class {},
  };
  // Deno has some of these, and only to be read.
  for (const [name, value] of Object.entries(likeWeb)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
