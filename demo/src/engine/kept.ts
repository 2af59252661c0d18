/** Holds the files of the page for visits without a network. The service worker fills it, too, and answers from it. */
export const CACHE = 'attention-explorer';

/** What was kept of an address. */
export async function kept(url: string): Promise<Response | undefined> {
  return (await open())?.match(url).catch(() => undefined);
}

export async function keep(url: string, response: Response): Promise<void> {
  const cache = await open();
  // Full, or refused: then it is fetched again the next time.
  await cache?.put(url, response).catch(() => {});
}

/**
 * Keeps what this worker has fetched from the page's own folder before a service worker saw it, such as the core. It
 * comes out of the browser's HTTP cache: names have hashes, so that what is there is right.
 */
export async function keepFetched(): Promise<void> {
  const cache = await open();
  if (!cache) return;
  const folder = new URL('.', location.href).href;
  for (const { name } of performance.getEntriesByType('resource')) {
    if (!name.startsWith(folder) || (await kept(name))) continue;
    await cache.add(new Request(name, { cache: 'force-cache' })).catch(() => {});
  }
}

/** Only in the build, whose names have hashes. Insecure origins have no caches, and a browser may refuse them. */
async function open(): Promise<Cache | undefined> {
  if (!import.meta.env.PROD) return undefined;
  return globalThis.caches?.open(CACHE).catch(() => undefined);
}
