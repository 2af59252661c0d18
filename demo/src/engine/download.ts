import { keep, keepFetched, kept } from './kept';

/**
 * Fetches a file of known size, telling of each arriving chunk, and keeps it for visits without a network. The size is
 * known beforehand because Content-Length counts compressed bytes.
 */
export async function download(
  url: string,
  total: number,
  onProgress: (loaded: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const here = await kept(url);
  const response = here ?? (await ask(url));
  if (!response.body) throw new Error(`The file ${nameOf(url)} came without content.`);
  const bytes = new Uint8Array(total);
  const reader = response.body.getReader();
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (loaded + value.length > total) throw new Error(`The weights are larger than the ${total} bytes expected.`);
    bytes.set(value, loaded);
    loaded += value.length;
    onProgress(loaded);
  }
  if (loaded < total) throw new Error(`The weights ended after ${loaded} of ${total} bytes.`);
  // Nobody waits for it.
  if (!here) keep(url, new Response(bytes)).then(keepFetched);
  return bytes;
}

/** A small file, kept as well. */
export async function fetchFile(url: string): Promise<Response> {
  const here = await kept(url);
  if (here) return here;
  const response = await ask(url);
  keep(url, response.clone());
  return response;
}

async function ask(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`The file ${nameOf(url)} was answered with ${response.status} ${response.statusText}`.trim());
  return response;
}

const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);
