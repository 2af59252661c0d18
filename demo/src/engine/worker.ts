/// <reference lib="webworker" />
import { call } from './calls';
import type { Answer, Request } from './protocol';
import { Session } from './session';

const scope = self as unknown as DedicatedWorkerGlobalScope;
const send = (answer: Answer, transfer: Transferable[] = []) => scope.postMessage(answer, transfer);
/** Short, whatever a file says. */
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 500);

let opening: Promise<Session> | null = null;

/** One for all requests; what failed is tried again at the next. */
function open(): Promise<Session> {
  opening ??= Session.create({
    onProgress: (loaded, total) => send({ type: 'progress', loaded, total }),
    onTokenizing: (isOver) => send({ type: 'tokenizing', isOver }),
  }).catch((error) => {
    opening = null;
    throw error;
  });
  return opening;
}

let newest = new AbortController();

scope.onmessage = ({ data: request }: MessageEvent<Request>) => {
  switch (request.type) {
    case 'look':
      newest.abort();
      newest = new AbortController();
      return look(request, newest.signal);
    case 'tile':
      return tile(request);
    case 'call':
      return answer(request);
  }
};

async function tile({ id, serial, tile }: Request & { type: 'tile' }): Promise<void> {
  try {
    send({ type: 'tile', id, tile: (await open()).tile(serial, tile) });
  } catch (error) {
    send({ type: 'refused', id, message: messageOf(error) });
  }
}

async function look({ pass, lens, place }: Request & { type: 'look' }, signal: AbortSignal): Promise<void> {
  try {
    await (await open()).look(pass, lens, place, signal, (look) => {
      const { query, key, logSumExp, root } = look.head ?? {};
      const given = [query, key, logSumExp, root?.cells, look.overview?.cells].filter((array) => array !== undefined);
      send(
        { type: 'look', look },
        given.map(({ buffer }) => buffer as ArrayBuffer),
      );
    });
  } catch (error) {
    if (!signal.aborted) send({ type: 'failed', message: messageOf(error) });
  }
}

async function answer({ id, name, argument }: Request & { type: 'call' }): Promise<void> {
  try {
    const value = await call(await open(), name, argument, (event) => send({ type: 'event', id, value: event }));
    send({ type: 'result', id, value });
  } catch (error) {
    send({ type: 'refused', id, message: messageOf(error) });
  }
}
