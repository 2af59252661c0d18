// One check in Node.js, Deno or Bun: its name and its arguments as JSON come in, its result as JSON goes out.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { checksOf } from './checks.js';

const read = async (path) => new Uint8Array(await readFile(new URL(`../../${path}`, import.meta.url)));
const [name, ...args] = process.argv.slice(2);
const check = checksOf({ createAttention, createAttentionWorker, createModel }, read)[name];
console.log(JSON.stringify(await check(...args.map((text) => JSON.parse(text)))));
