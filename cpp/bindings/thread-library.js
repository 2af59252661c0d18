// Replaces what Emscripten has for threads that ask each other to run something, which none does here: 1.5 kB, and a
// wait by Atomics.waitAsync that never ends, so that an engine's memory could not be collected after dispose().
addToLibrary({
  _emscripten_thread_mailbox_await: (_thread) => {},
  $proxyToMainThread: (_function, _address, _sync, ..._arguments) => abort(),
});
