import { createEmbedder } from '@lat.md/embed';

/** all-MiniLM-L6-v2 on the Candle engine: a text's embedding, the mean over its tokens, of length 1. */
export async function candleEmbedding(model) {
  const embedder = await createEmbedder({ model: { ...model, maxTokens: 512 } });
  return async (text) => (await embedder.embed([text]))[0];
}
