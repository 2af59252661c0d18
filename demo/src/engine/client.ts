import type { Reading } from '../attention/reading';
import type { ReadRequest, WorkerMessage } from './protocol';
import workerUrl from './worker.ts?worker&url';

export interface EngineEvents {
  onProgress(loaded: number, total: number): void;
  onReading(reading: Reading): void;
  onFailure(message: string): void;
}

export interface Engine {
  /** Only the newest text is answered. */
  read(text: string): void;
  stop(): void;
}

interface ScriptUrlPolicy {
  createScriptURL(url: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): ScriptUrlPolicy;
}

function sameOrigin(url: string): string {
  if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`Not a script of this page: ${url}`);
  return url;
}

// Under require-trusted-types-for 'script' a worker takes no plain string.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('attention-explorer', { createScriptURL: sameOrigin });

export function startEngine({ onProgress, onReading, onFailure }: EngineEvents): Engine {
  const worker = new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module' });
  let newest = 0;

  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.type === 'progress') onProgress(data.loaded, data.total);
    else if (data.type === 'failed') onFailure(data.message);
    else if (data.id === newest) onReading(data.reading);
  };
  worker.onerror = (event) => onFailure(event.message || 'The worker script could not be loaded.');

  return {
    read(text) {
      worker.postMessage({ id: ++newest, text } satisfies ReadRequest);
    },
    stop: () => worker.terminate(),
  };
}
