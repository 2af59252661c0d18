import type { Encoded } from './limits';

/** A text of token ids, for models whose tokenizer is not at hand. */
export interface IdText extends Encoded {
  /** What is no id of this model; it is left out. */
  strange: string[];
}

/** Numbers separated by spaces or commas, below the size of the vocabulary. */
export function readIds(text: string, vocabulary: number): IdText {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const isId = (part: string) => /^\d{1,9}$/.test(part) && Number(part) < vocabulary;
  const ids = parts.filter(isId).map(Number);
  return { ids, tokens: ids.map(String), strange: parts.filter((part) => !isId(part)) };
}
