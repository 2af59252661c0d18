/// <reference lib="webworker" />
import config from 'minilm-files/config.json';
import weightsUrl from 'minilm-files/model.fp16.safetensors?url';
import tokenizerUrl from 'minilm-files/tokenizer.json?url';
import weightsFile from '../generated/weights.json';
import { download, fetchFile } from './download';
import { createMinilm, type Minilm } from './minilm';
import type { ReadRequest, WorkerMessage } from './protocol';

const scope = self as unknown as DedicatedWorkerGlobalScope;
const send = (message: WorkerMessage, transfer: Transferable[] = []) => scope.postMessage(message, transfer);
const fail = (error: unknown) =>
  send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });

async function load(): Promise<Minilm> {
  const total = weightsFile.bytes;
  const onProgress = (loaded: number) => send({ type: 'progress', loaded, total });
  onProgress(0);
  const [tokenizer, weights] = await Promise.all([
    fetchFile(tokenizerUrl).then((response) => response.json()),
    download(weightsUrl, total, onProgress),
  ]);
  return createMinilm({ config, tokenizer, weights });
}

const loading = load();
// Also when nothing has been asked yet.
loading.catch(fail);
let newest = new AbortController();

scope.onmessage = async ({ data: { id, text } }: MessageEvent<ReadRequest>) => {
  newest.abort();
  newest = new AbortController();
  const { signal } = newest;
  const model = await loading.catch(() => null);
  if (!model || signal.aborted) return;
  try {
    const reading = await model.read(text, signal);
    if (signal.aborted) return;
    send(
      { type: 'reading', id, reading },
      reading.layers.map((layer) => layer.buffer),
    );
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
};
