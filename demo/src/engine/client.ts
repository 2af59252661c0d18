import { scriptUrl } from '../trusted';
import type { Calls } from './calls';
import type { Answer, LensSpec, Look, PassSpec, Place, Request, Tile, TileSpec } from './protocol';
import workerUrl from './worker.ts?worker&url';

/** Milliseconds for the tokenizer of the visitor's own model, whose patterns may take for ever with a text. */
const longestTokenizing = 10_000;

export interface EngineEvents {
  onProgress(loaded: number, total: number): void;
  onLook(look: Look): void;
  onFailure(message: string): void;
  /** The worker itself has ended. */
  onCrash(message: string): void;
}

type ArgumentOf<Name extends keyof Calls> = Parameters<Calls[Name]>[1];
type ResultOf<Name extends keyof Calls> = Awaited<ReturnType<Calls[Name]>>;

export interface Engine {
  /** Only the newest is answered. */
  look(pass: PassSpec, lens: LensSpec, place: Place): void;
  /** Null where another head has come meanwhile. */
  tile(serial: number, tile: TileSpec): Promise<Tile | null>;
  /** A function of engine/calls. Rejects with its message. */
  call<Name extends keyof Calls>(
    name: Name,
    argument: ArgumentOf<Name>,
    onEvent?: (value: unknown) => void,
  ): Promise<ResultOf<Name>>;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
  onEvent?: (value: unknown) => void;
}

export function startEngine({ onProgress, onLook, onFailure, onCrash }: EngineEvents): Engine {
  const worker = new Worker(scriptUrl(workerUrl), { type: 'module' });
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let tokenizing: ReturnType<typeof setTimeout> | undefined;

  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    switch (data.type) {
      case 'progress':
        return onProgress(data.loaded, data.total);
      case 'tokenizing':
        clearTimeout(tokenizing);
        if (!data.isOver) tokenizing = setTimeout(end, longestTokenizing, 'The tokenizer of your model took too long.');
        return;
      case 'look':
        return onLook(data.look);
      case 'failed':
        return onFailure(data.message);
      case 'event':
        return waiting.get(data.id)?.onEvent?.(data.value);
      case 'tile':
        return settle(data.id)?.resolve(data.tile as never);
      case 'result':
        return settle(data.id)?.resolve(data.value as never);
      case 'refused':
        return settle(data.id)?.reject(new Error(data.message));
    }
  };
  worker.onerror = (event) => end(event.message || 'The worker script could not be loaded.');

  function end(message: string): void {
    worker.terminate();
    clearTimeout(tokenizing);
    for (const id of [...waiting.keys()]) settle(id)?.reject(new Error(message));
    onCrash(message);
  }

  function settle(id: number): Waiting | undefined {
    const one = waiting.get(id);
    waiting.delete(id);
    return one;
  }

  const send = (request: Request) => worker.postMessage(request);
  function ask<T>(request: (id: number) => Request, onEvent?: (value: unknown) => void): Promise<T> {
    const id = ++asked;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: never) => void, reject, ...(onEvent && { onEvent }) });
      send(request(id));
    });
  }

  return {
    look: (pass, lens, place) => send({ type: 'look', pass, lens, place }),
    tile: (serial, tile) => ask((id) => ({ type: 'tile', id, serial, tile })),
    call: (name, argument, onEvent) => ask((id) => ({ type: 'call', id, name, argument }), onEvent),
  };
}
