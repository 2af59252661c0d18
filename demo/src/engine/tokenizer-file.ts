interface Description {
  model: { vocab: unknown; [key: string]: unknown };
  [key: string]: unknown;
}

/** tokenizer.json, of the shorter file that scripts/tokenizer.mjs makes. */
export function lengthen({ model, ...description }: Description): Description {
  const tokens = (model.vocab as string).split(' ');
  return { ...description, model: { ...model, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) } };
}
