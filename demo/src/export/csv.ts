import { type Rows, rounded } from './numbers';

/**
 * A table of comma-separated values (RFC 4180), a line at a time: the first line names the columns' tokens, each other
 * line begins with its row's.
 */
export function* csvLines({ tokens, row }: Rows): Generator<string> {
  const names = tokens.map(cell);
  yield line(['', ...names]);
  for (let i = 0; i < tokens.length; i++)
    yield line([names[i], ...Array.from(row(i), (value) => String(rounded(value)))]);
}

const line = (cells: readonly string[]) => `${cells.join(',')}\r\n`;

/**
 * Spreadsheets run a cell that begins with one of = + - @ as a formula, quoted or not. Such a token gets an apostrophe
 * before it, which makes it text; so does one that begins with an apostrophe itself, so that taking a leading one away
 * always gives the token back.
 */
function cell(token: string): string {
  const text = /^['=+\-@＝＋－＠\t\r]/.test(token) ? `'${token}` : token;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
