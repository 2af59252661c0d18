/** Word pieces that continue a word begin with "##". */
const continues = (token: string) => token.startsWith('##');

/** A piece as it is drawn beside the pieces of its word. */
export const pieceText = (token: string) => (continues(token) ? token.slice(2) : token);

/** Token positions, grouped by word: pieces of a word stay together. */
export function words(tokens: string[]): number[][] {
  const groups: number[][] = [];
  tokens.forEach((token, i) => {
    const last = groups.at(-1);
    if (last && continues(token)) last.push(i);
    else groups.push([i]);
  });
  return groups;
}

/** Whether the same token stands elsewhere too, so that its position must tell which one is meant. */
export const isRepeated = (tokens: string[], index: number) =>
  tokens.indexOf(tokens[index]) !== tokens.lastIndexOf(tokens[index]);

/** Where a token went when the text was edited around it; null if it was edited itself. */
export function carry(before: string[], after: string[], index: number): number | null {
  const shorter = Math.min(before.length, after.length);
  let prefix = 0;
  while (prefix < shorter && before[prefix] === after[prefix]) prefix++;
  if (index < prefix) return index;
  let suffix = 0;
  while (suffix < shorter - prefix && before.at(-1 - suffix) === after.at(-1 - suffix)) suffix++;
  return index >= before.length - suffix ? index + after.length - before.length : null;
}
