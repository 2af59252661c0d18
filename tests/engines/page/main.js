import { createAttention } from '/build/package/dist/index.js';
import { createModel } from '/build/package/dist/models.js';
import { createAttentionWorker } from '/build/package/dist/worker.js';
import { checksOf } from '../checks.js';

// The page's policy takes no plain address.
const policy = globalThis.trustedTypes?.createPolicy('tests', { createScriptURL: (url) => url });
const script = '/build/package/dist/worker-entry.js';
const worker = () => new Worker(policy?.createScriptURL(script) ?? script, { type: 'module' });
const createWorker = (options) => createAttentionWorker({ ...options, worker });

const read = async (path) => new Uint8Array(await (await fetch(`/${path}`)).arrayBuffer());
globalThis.checks = checksOf({ createAttention, createAttentionWorker: createWorker, createModel }, read);
