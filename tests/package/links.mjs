// Where the links of Markdown files lead.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import GithubSlugger from 'github-slugger';
import { lexer, walkTokens } from 'marked';

/** The links that lead nowhere in all Markdown files of a folder, as "file → link". Other hosts are not asked. */
export function deadLinks(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(folder, posix.join(entry.parentPath, entry.name)));
  const pages = new Map(
    files.filter((file) => file.endsWith('.md')).map((file) => [file, read(readFileSync(join(folder, file), 'utf8'))]),
  );
  const isAlive = (page, link) => {
    if (/^https?:\/\//.test(link)) return URL.canParse(link);
    const [path, anchor] = link.split('#').map(decodeURIComponent);
    const target = path === '' ? page : posix.join(posix.dirname(page), path);
    return files.includes(target) && (anchor === undefined || (pages.get(target)?.anchors.has(anchor) ?? false));
  };
  return Array.from(pages, ([page, { links }]) =>
    links.filter((link) => !isAlive(page, link)).map((link) => `${page} → ${link}`),
  ).flat();
}

/** The links of a page, images among them, and the anchors that GitHub makes of its headings. */
function read(text) {
  const slugger = new GithubSlugger();
  const links = [];
  const anchors = new Set();
  walkTokens(lexer(text), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(token.href);
    if (token.type === 'html')
      links.push(...Array.from(token.raw.matchAll(/\b(?:href|src)="([^"]*)"/g), ([, to]) => to));
    if (token.type === 'heading') anchors.add(slugger.slug(plain(token)));
  });
  return { links, anchors };
}

/** The text of a heading without its marks. */
const plain = ({ tokens, text }) => (tokens ? tokens.map(plain).join('') : text);
