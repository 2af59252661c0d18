import { readFileSync } from 'node:fs';

const sentences = JSON.parse(readFileSync(new URL('sentences.json', import.meta.url), 'utf8'));

/** Over ten sentences: the largest difference of any cell of any head, and the smallest cosine of embeddings. */
export async function compare(one, other, tokenizer) {
  let difference = 0;
  let cosine = 1;
  for (const sentence of sentences) {
    const { ids } = tokenizer.encode(sentence);
    const [a, b] = await Promise.all([one, other].map((model) => read(model, ids)));
    for (const [layer, { data }] of a.attentions.entries()) {
      const others = b.attentions[layer].data;
      difference = data.reduce((most, value, cell) => Math.max(most, Math.abs(value - others[cell])), difference);
    }
    // Embeddings have length 1.
    cosine = Math.min(
      cosine,
      a.embedding.reduce((sum, value, i) => sum + value * b.embedding[i], 0),
    );
  }
  return { difference, cosine };
}

async function read(model, ids) {
  const { attentions } = await model.forward(ids, { attention: true });
  const { data: embedding } = await model.embed(ids);
  return { attentions, embedding };
}
