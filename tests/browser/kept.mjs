/** Runs in the page: whether a later visit needs no network, because a service worker will answer and has all it needs. */
export async function isKept() {
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration?.active?.state !== 'activated') return false;
  const cache = await caches.open('attention-explorer');
  const names = (await cache.keys()).map(({ url }) => url.slice(url.lastIndexOf('/') + 1));
  const threads = crossOriginIsolated && 'SharedArrayBuffer' in globalThis ? [/^attention-threads-module/] : [];
  const needed = [/^$/, /^worker-/, /^tokenizer-/, /\.safetensors$/, /\.wasm$/, /\.css$/, ...threads];
  return needed.every((pattern) => names.some((name) => pattern.test(name)));
}
