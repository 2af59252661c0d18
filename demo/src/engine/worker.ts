/// <reference lib="webworker" />
import { call } from './calls';
import type { Answer, Request } from './protocol';
import { Session } from './session';

const scope = self as unknown as DedicatedWorkerGlobalScope;
const send = (answer: Answer, transfer: Transferable[] = []) => scope.postMessage(answer, transfer);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const opening = Session.create((loaded, total) => send({ type: 'progress', loaded, total }));
// Also when nothing has been asked yet.
opening.catch((error) => send({ type: 'failed', message: messageOf(error) }));
let newest = new AbortController();

scope.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.type === 'look') {
    newest.abort();
    newest = new AbortController();
  }
  const { signal } = newest;
  const session = await opening.catch(() => null);
  if (!session) return;
  switch (request.type) {
    case 'look':
      return look(session, request, signal);
    case 'tile':
      return send({ type: 'tile', id: request.id, tile: session.tile(request.serial, request.tile) });
    case 'call':
      return answer(session, request);
  }
};

async function look(
  session: Session,
  { pass, lens, place }: Request & { type: 'look' },
  signal: AbortSignal,
): Promise<void> {
  try {
    const look = await session.look(pass, lens, place, signal);
    const { query, key, logSumExp, root } = look.head;
    send(
      { type: 'look', look },
      [query, key, logSumExp, root.cells].map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    if (!signal.aborted) send({ type: 'failed', message: messageOf(error) });
  }
}

async function answer(session: Session, { id, name, argument }: Request & { type: 'call' }): Promise<void> {
  try {
    const value = await call(session, name, argument, (event) => send({ type: 'event', id, value: event }));
    send({ type: 'result', id, value });
  } catch (error) {
    send({ type: 'refused', id, message: messageOf(error) });
  }
}
