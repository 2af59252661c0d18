const opening = new Set(['[CLS]', '<s>', '<|endoftext|>', '<|begin_of_text|>']);
const closing = new Set(['[SEP]', '</s>']);

export const isSpecial = (token: string) => opening.has(token) || closing.has(token);

export const isClosing = (token: string) => closing.has(token);

/** What lies between the special tokens at both ends: half-open. */
export function innerOf(tokens: readonly string[]): readonly [number, number] {
  const from = tokens.length > 0 && opening.has(tokens[0]) ? 1 : 0;
  const to = tokens.length > from && closing.has(tokens[tokens.length - 1]) ? tokens.length - 1 : tokens.length;
  return [from, to];
}
