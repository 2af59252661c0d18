import { isClosing } from './special';

/** More text than this is not even split into tokens: a pasted book must not hold up the worker. */
const CHARACTER_LIMIT = 40_000;

/** Of models that could read more: beyond it the projections of all layers take too much memory. */
export const TOKEN_LIMIT = 4096;

export interface Encoded {
  ids: number[];
  tokens: string[];
}

/** What was left out of a text that is too long. */
export interface Cut {
  /** Tokens read, [CLS] and [SEP] included. */
  kept: number;
  /** Tokens the text has, or a lower bound of it. */
  total: number;
  atLeast: boolean;
}

/** The first tokens of the text; one that the model closes by a token of its own ([SEP]) is closed by it still. */
export function cutTokens(
  text: string,
  encode: (text: string) => Encoded,
  modelLimit: number,
): Encoded & { cut: Cut | null } {
  const { ids, tokens } = encode(text.slice(0, CHARACTER_LIMIT));
  const kept = Math.min(TOKEN_LIMIT, modelLimit);
  if (tokens.length <= kept) return { ids, tokens, cut: null };
  const closes = isClosing(tokens.at(-1) as string);
  const shorten = <T>(list: T[]) => (closes ? [...list.slice(0, kept - 1), ...list.slice(-1)] : list.slice(0, kept));
  const cut = { kept, total: tokens.length, atLeast: text.length > CHARACTER_LIMIT };
  return { ids: shorten(ids), tokens: shorten(tokens), cut };
}
