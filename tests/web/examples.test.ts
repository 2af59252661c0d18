import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withHead } from './checkpoint-files.ts';
import type { Floats } from './random.ts';
import { inFile } from './synthetic-bert.ts';
import { config, weights } from './synthetic-llama.ts';

// Inside the repository, where the package's name resolves to the package itself.
const example = fileURLToPath(new URL('../../examples/node/generate.mjs', import.meta.url));

/** One token a byte, in the alphabet that byte-level tokenizers have: Ġ is a space, Ã and © are the bytes of é. */
const tokens = ['<s>', ...'abcdefghijklmnopqrstuvwxyzĠÃ©', '</s>'];
const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const description = {
  version: '1.0',
  added_tokens: ['<s>', '</s>'].map((content) => ({ id: tokens.indexOf(content), content, ...special })),
  normalizer: null,
  pre_tokenizer: byteLevel,
  post_processor: null,
  decoder: byteLevel,
  model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
};

const prompt = 'the cat';
let folder: string;
beforeAll(() => {
  expect(tokens).toHaveLength(config.vocab_size);
  folder = mkdtempSync(join(tmpdir(), 'attention-wasm-example-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(description));
  const all = Object.entries(withHead(weights(), 'model.'));
  const shard = (n: number) => Object.fromEntries(all.filter((_, i) => i % 2 === n)) as Record<string, Floats>;
  for (const n of [0, 1]) writeFileSync(join(folder, `model-0000${n + 1}-of-00002.safetensors`), inFile(shard(n)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...options: string[]) =>
  execFileSync(process.execPath, [example, folder, prompt, ...options], { encoding: 'utf8', stdio: 'pipe' });

/** What a text goes on with, in one piece. */
async function continued(maxNewTokens: number, dtype: 'float32' | 'int8' = 'float32'): Promise<string> {
  const tokenizer = new Tokenizer(description, {});
  const attention = await createAttention();
  const model = createModel(attention, { config, tensors: weights() }, { weights: dtype });
  const { ids } = tokenizer.encode(prompt);
  const added = await model.generate(ids, { maxNewTokens });
  attention.dispose();
  expect(added.length).toBeGreaterThan(1);
  return tokenizer.decode([...ids, ...added], { skip_special_tokens: true }).slice(prompt.length);
}

describe('examples/node', () => {
  test('writes what the model generates, letters of two tokens whole', async () => {
    const text = run('--tokens', '12');
    expect(text).toContain('é');
    expect(text).toBe(await continued(12));
  });
  test('stops where the model’s length ends', async () => {
    expect(run()).toBe(await continued(config.max_position_embeddings - prompt.length));
  });
  test('with int8 weights', async () => {
    expect(run('--tokens', '12', '--int8')).toBe(await continued(12, 'int8'));
  });
  test('samples by a seed', () => {
    const [one, again, other] = [1, 1, 2].map((seed) => run('--temperature', '1.5', '--seed', `${seed}`));
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });
  test('says how it is called', () => {
    const { status, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('node generate.mjs <folder>') });
  });
});
