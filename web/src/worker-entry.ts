// The script of a worker that createAttentionWorker() starts.
import { engineOf } from './attention.js';
import { createOver } from './load/create.js';
import { nodeThreads } from './load/node.js';
import { isModule } from './realms.js';
import { bytesOf } from './typed-arrays.js';
import { failureOf, Host } from './worker/host.js';
import type { FromWorker, Start, Started, ToWorker } from './worker/messages.js';
import { PartedEngine } from './worker/parted-engine.js';

async function start({ port, options, wasm }: Start): Promise<void> {
  const send = (message: FromWorker | Started, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  try {
    const isContent = typeof wasm !== 'object' || isModule(wasm) || bytesOf(wasm) !== undefined;
    const addresses = wasm as Record<string, string>;
    const content = isContent ? (wasm as WebAssembly.Module | undefined) : (file: string) => addresses[file] as string;
    const attention = await createOver(PartedEngine, { ...options, wasm: content });
    const host = new Host(attention, engineOf(attention) as PartedEngine, send);
    port.onmessage = ({ data }) => host.receive(data as ToWorker);
    send({ kind: 'started', info: attention.info });
  } catch (error) {
    send({ kind: 'failed', error: failureOf(error) });
  }
}

const parent = nodeThreads()?.parentPort;
if (parent) parent.once('message', (data: Start) => start(data));
else globalThis.addEventListener('message', ({ data }) => start(data as Start), { once: true });
