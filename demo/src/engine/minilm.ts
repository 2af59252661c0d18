import { Tokenizer } from '@huggingface/tokenizers';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import type { Reading } from '../attention/reading';
import { cutTokens } from './limits';

export interface MinilmFiles {
  config: { model_type: string; [key: string]: unknown };
  tokenizer: object;
  weights: Uint8Array;
}

export interface Minilm {
  /** Rejects with ABORTED between two layers once the signal is aborted. */
  read(text: string, signal?: AbortSignal): Promise<Reading>;
}

export async function createMinilm({ config, tokenizer: vocabulary, weights }: MinilmFiles): Promise<Minilm> {
  // The file pads every text to 128 tokens and cuts it there in silence.
  const tokenizer = new Tokenizer({ ...vocabulary, padding: null, truncation: null }, {});
  const attention = await createAttention();
  const model = createModel(attention, { config, tensors: weights });

  async function read(text: string, signal?: AbortSignal): Promise<Reading> {
    const { ids, tokens, cut } = cutTokens(text, (part) => tokenizer.encode(part), model.maxLength);
    const start = performance.now();
    const { attentions } = await model.forward(ids, { attention: true, signal });
    const milliseconds = performance.now() - start;
    const layers = attentions.map((layer) => layer.data);
    return { text, tokens, heads: model.heads, layers, cut, milliseconds, variant: attention.info.variant };
  }
  return { read };
}
