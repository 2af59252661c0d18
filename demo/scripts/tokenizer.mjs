/** tokenizer.json with its vocabulary as one text: the tokens by their ids, with spaces between. Three fifths of it are left with brotli. */
export function shorten({ model: { vocab, ...model }, ...description }) {
  const entries = Object.entries(vocab).sort(([, a], [, b]) => a - b);
  const isPlain = entries.every(([token, id], place) => id === place && !token.includes(' '));
  if (!isPlain) throw new Error('the vocabulary has gaps, or spaces in its tokens');
  return { ...description, model: { ...model, vocab: entries.map(([token]) => token).join(' ') } };
}
