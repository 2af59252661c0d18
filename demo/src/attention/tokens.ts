import { isSpecial } from '../engine/special';

// Word pieces that continue a word begin with "##" (BERT); elsewhere those that begin one carry their space as "Ġ" or "▁".
const continuesWord = (token: string) => token.startsWith('##');
const beginsWord = (token: string) => token.startsWith('Ġ') || token.startsWith('▁');

/** A piece as it is drawn beside the pieces of its word. */
export function pieceText(token: string): string {
  if (continuesWord(token)) return token.slice(2);
  if (beginsWord(token)) return token.slice(1) || '␣';
  return token.replaceAll('Ċ', '⏎');
}

const rightToLeft =
  /[\u0590-\u08ff\u200f\u202b\u202e\u2067\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Text that may run from right to left, for a line with other text: marks of Unicode around it keep the order of the
 * line. Where there are elements, `<bdi>` does the same.
 */
export const isolated = (text: string) => (rightToLeft.test(text) ? `\u2068${text}\u2069` : text);

/** Token positions of a range, grouped by word: pieces of a word stay together. */
export function words(
  tokens: readonly string[],
  [from, to]: readonly [number, number] = [0, tokens.length],
): number[][] {
  const marksBeginnings = tokens.some(beginsWord);
  const groups: number[][] = [];
  for (let i = from; i < to; i++) {
    const token = tokens[i];
    const last = groups.at(-1);
    const continues = marksBeginnings ? !beginsWord(token) && !isSpecial(token) : continuesWord(token);
    if (last && continues && !isSpecial(tokens[i - 1])) last.push(i);
    else groups.push([i]);
  }
  return groups;
}

/** Whether the same token stands elsewhere too, so that its position must tell which one is meant. */
export const isRepeated = (tokens: readonly string[], index: number) =>
  tokens.indexOf(tokens[index]) !== tokens.lastIndexOf(tokens[index]);

/** Where a token went when the text was edited around it; null if it was edited itself. */
export function carry(before: readonly string[], after: readonly string[], index: number): number | null {
  const shorter = Math.min(before.length, after.length);
  let prefix = 0;
  while (prefix < shorter && before[prefix] === after[prefix]) prefix++;
  if (index < prefix) return index;
  let suffix = 0;
  while (suffix < shorter - prefix && before.at(-1 - suffix) === after.at(-1 - suffix)) suffix++;
  return index >= before.length - suffix ? index + after.length - before.length : null;
}
