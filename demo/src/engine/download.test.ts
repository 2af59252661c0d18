import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { download, fetchFile } from './download';

const folder = 'https://example.org/some/where/assets/';
const [weights, core] = [`${folder}model.safetensors`, `${folder}core.wasm`];
const content = Uint8Array.of(1, 2, 3, 4);
function storage() {
  const held = new Map<string, Response>();
  const match = vi.fn(async (url: string) => held.get(url)?.clone());
  const put = vi.fn(async (url: string, response: Response) => void held.set(url, response));
  const add = vi.fn(async ({ url }: Request) => void held.set(url, new Response('added')));
  const open = vi.fn(async () => ({ match, put, add }));
  return { held, match, put, add, open };
}

let cache: ReturnType<typeof storage>;
const ask = vi.fn(async (_url: string) => new Response(content));

beforeEach(() => {
  cache = storage();
  vi.stubEnv('PROD', true);
  vi.stubGlobal('caches', cache);
  vi.stubGlobal('fetch', ask.mockClear());
  vi.stubGlobal('location', { href: `${folder}worker.js` });
  const names = [core, weights, 'https://example.org/elsewhere.js'];
  vi.spyOn(performance, 'getEntriesByType').mockReturnValue(names.map((name) => ({ name })) as never);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

const get = () => download(weights, content.length, () => {});

test('weights are kept once they are whole, and what came before them from the same folder', async () => {
  const progress: number[] = [];
  expect([...(await download(weights, 4, (loaded) => progress.push(loaded)))]).toEqual([...content]);
  expect(progress.at(-1)).toBe(4);
  await expect.poll(() => [...cache.held.keys()]).toEqual([weights, core]);
  expect(cache.add.mock.calls[0]?.[0].cache).toBe('force-cache');
});

test('what is kept is not asked for again', async () => {
  await get();
  await expect.poll(() => cache.held.has(weights)).toBe(true);
  expect([...(await get())]).toEqual([...content]);
  await (await fetchFile(weights)).arrayBuffer();
  expect(ask).toHaveBeenCalledTimes(1);
});

test('weights that end early, or are too many, are refused and not kept', async () => {
  await expect(download(weights, 5, () => {})).rejects.toThrow('ended after 4 of 5');
  await expect(download(weights, 3, () => {})).rejects.toThrow('larger than the 3');
  expect(cache.put).not.toHaveBeenCalled();
});

test.each([
  ['absent', () => vi.stubGlobal('caches', undefined)],
  ['refused', () => cache.open.mockRejectedValue(new Error('refused'))],
  ['unreadable', () => cache.match.mockRejectedValue(new Error('broken'))],
  ['full', () => cache.put.mockRejectedValue(new Error('full'))],
])('where storage is %s, weights arrive all the same', async (_, prepare) => {
  prepare();
  expect([...(await get())]).toEqual([...content]);
});

test('an answer that is an error is told and not kept', async () => {
  ask.mockResolvedValueOnce(new Response('', { status: 404, statusText: 'Not Found' }));
  await expect(fetchFile(weights)).rejects.toThrow('model.safetensors was answered with 404 Not Found');
  expect(cache.put).not.toHaveBeenCalled();
});

test('the development server keeps nothing', async () => {
  vi.stubEnv('PROD', false);
  await get();
  expect(cache.open).not.toHaveBeenCalled();
});
