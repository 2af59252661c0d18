// The script of a worker that createAttentionWorker() starts.
import { engineOf } from './attention.js';
import { createOver } from './load/create.js';
import { nodeThreads } from './load/thread-workers.js';
import { failureOf, Host } from './worker/host.js';
import type { FromWorker, Start, Started, ToWorker } from './worker/messages.js';
import { PartedEngine } from './worker/parted-engine.js';

async function start({ port, options, wasm }: Start): Promise<void> {
  const send = (message: FromWorker | Started, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  try {
    const addresses = typeof wasm === 'object' && !isContent(wasm) ? wasm : undefined;
    const content = addresses ? (file: string) => addresses[file] as string : (wasm as WebAssembly.Module | undefined);
    const attention = await createOver(PartedEngine, { ...options, wasm: content });
    const host = new Host(attention, engineOf(attention) as PartedEngine, send);
    port.onmessage = ({ data }) => host.receive(data as ToWorker);
    send({ kind: 'started', info: attention.info });
  } catch (error) {
    send({ kind: 'failed', error: failureOf(error) });
  }
}

function isContent(wasm: object): wasm is WebAssembly.Module | ArrayBuffer | Uint8Array {
  return wasm instanceof WebAssembly.Module || wasm instanceof ArrayBuffer || wasm instanceof Uint8Array;
}

const parent = nodeThreads()?.parentPort;
if (parent) parent.once('message', (data: Start) => start(data));
else globalThis.addEventListener('message', ({ data }) => start(data as Start), { once: true });
