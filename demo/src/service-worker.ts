/// <reference lib="webworker" />
import { CACHE } from './engine/kept';

/** Of the build: what every visit needs, and what some do. Written by vite/service-worker.ts. */
declare const __FILES__: { now: string[]; later: string[] };

const scope = self as unknown as ServiceWorkerGlobalScope;
const { now, later } = __FILES__;

const page = 'index.html';
const isHashed = (file: string) => file.startsWith('assets/');
/** The page goes by the address of its folder: hosts redirect index.html to it. */
const urlOf = (file: string) => new URL(file === page ? '.' : file, scope.registration.scope).href;

/** The file of the build that an address stands for, its query aside; assets of newer builds are among them. */
function fileOf(url: string): string | undefined {
  const { origin, pathname } = new URL(url);
  const address = origin + pathname;
  if (!address.startsWith(scope.registration.scope)) return undefined;
  const file = address.slice(scope.registration.scope.length) || page;
  return isHashed(file) || now.includes(file) ? file : undefined;
}

// Nothing is hurried. An open page keeps the files it began with, so there is no skipWaiting; and no clients.claim(), which
// in Firefox waits for threads that sleep, and all navigation with it. The engine keeps what came before (engine/kept.ts).
scope.addEventListener('install', (event) => event.waitUntil(keepShell()));
scope.addEventListener('activate', (event) => event.waitUntil(dropOld()));
scope.addEventListener('fetch', (event) => {
  const { method, url, destination } = event.request;
  const file = method === 'GET' ? fileOf(url) : undefined;
  if (file === undefined) return;
  // The headers of pages and workers must agree (a cached worker without COEP would not start in an isolated page), and
  // what has no hash changes under its name: both come from the network while there is one. Else a hash names content.
  const isFresh = !isHashed(file) || destination === 'worker';
  event.respondWith(isFresh ? fromNetwork(event, file) : fromCache(event, file));
});

async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  const add = async (file: string) => {
    if (isHashed(file) && (await cache.match(urlOf(file)))) return;
    // The page must be the one of this list; all else was mostly just loaded by it.
    await cache.add(new Request(urlOf(file), { cache: file === page ? 'no-cache' : 'force-cache' }));
  };
  await Promise.all(now.map(add));
}

/** What no longer belongs to the build. Unchanged files, such as weights, outlive a release. */
async function dropOld(): Promise<void> {
  const cache = await caches.open(CACHE);
  const current = new Set([...now, ...later]);
  for (const request of await cache.keys()) {
    const file = fileOf(request.url);
    if (file !== undefined && !current.has(file)) await cache.delete(request);
  }
}

async function fromCache(event: FetchEvent, file: string): Promise<Response> {
  return (await kept(file)) ?? fetchAndKeep(event, file);
}

async function fromNetwork(event: FetchEvent, file: string): Promise<Response> {
  try {
    return await fetchAndKeep(event, file);
  } catch (error) {
    const copy = await kept(file);
    if (copy) return copy;
    throw error;
  }
}

async function fetchAndKeep(event: FetchEvent, file: string): Promise<Response> {
  const response = await fetch(event.request);
  // Weights are kept by who reads them, once they are whole.
  if (response.ok && !file.endsWith('.safetensors')) event.waitUntil(keep(file, response.clone()));
  return response;
}

/** Storage may be refused or full: then the network has to do. */
async function kept(file: string): Promise<Response | undefined> {
  return caches
    .open(CACHE)
    .then((cache) => cache.match(urlOf(file)))
    .catch(() => undefined);
}

async function keep(file: string, response: Response): Promise<void> {
  await caches
    .open(CACHE)
    .then((cache) => cache.put(urlOf(file), response))
    .catch(() => {});
}
