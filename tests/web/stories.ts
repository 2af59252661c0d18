/** A Llama of 260 thousand weights that tells stories, where the folder is present. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LlamaConfig } from './oracle/llama.ts';
import type { Numbers } from './oracle/values.ts';

const models = process.env.ATTENTION_WASM_MODELS ?? resolve(import.meta.dirname, '../../../shared/models');
export const folder = resolve(models, 'stories260k');
export const isPresent = existsSync(resolve(folder, 'model.safetensors'));

const json = (name: string): unknown => JSON.parse(readFileSync(resolve(folder, name), 'utf8'));
export const readConfig = () => json('config.json') as LlamaConfig & Record<string, unknown> & { model_type: string };
export const readExpected = () => json('expected.json') as { promptIds: number[]; greedyFirst24: number[] };
export const readBytes = (): Uint8Array => new Uint8Array(readFileSync(resolve(folder, 'model.safetensors')));

/** For the oracle: the file's tensors by the names it knows, read without the package's reader. */
export function readTensors(): Record<string, Numbers> {
  const bytes = readBytes();
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== 'F32') throw new Error(`${name} is ${dtype}, wanted F32`);
        const data = Float64Array.from(new Float32Array(bytes.slice(start + from, start + to).buffer));
        return [name.replace(/^model\./, ''), { data, shape }];
      },
    ),
  );
}
