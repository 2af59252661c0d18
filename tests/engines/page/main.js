import { createAttention } from '/build/package/dist/index.js';
import { createModel } from '/build/package/dist/models.js';
import { checksOf } from '../checks.js';

const read = async (path) => new Uint8Array(await (await fetch(`/${path}`)).arrayBuffer());
globalThis.checks = checksOf({ createAttention, createModel }, read);
