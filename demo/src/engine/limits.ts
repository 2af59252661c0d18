/** Every head is recomputed and redrawn at each keystroke; beyond this that stops feeling live on two cores. */
export const TOKEN_LIMIT = 128;

/** More text than this is not even split into tokens: a pasted book must not hold up the worker. */
const CHARACTER_LIMIT = 20_000;

interface Encoded {
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
  modelLimit: number;
}

/** The first tokens of the text, closed by its own last token ([SEP]) as the model expects. */
export function cutTokens(
  text: string,
  encode: (text: string) => Encoded,
  modelLimit: number,
): Encoded & { cut: Cut | null } {
  const { ids, tokens } = encode(text.slice(0, CHARACTER_LIMIT));
  const kept = Math.min(TOKEN_LIMIT, modelLimit);
  if (tokens.length <= kept) return { ids, tokens, cut: null };
  const shorten = <T>(list: T[]) => [...list.slice(0, kept - 1), ...list.slice(-1)];
  const cut = { kept, total: tokens.length, atLeast: text.length > CHARACTER_LIMIT, modelLimit };
  return { ids: shorten(ids), tokens: shorten(tokens), cut };
}
