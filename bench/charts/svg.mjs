// A Plot as an SVG file that stands alone: its own colours for light and dark pages, a title and a description.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { colours } from './who.mjs';

const style = `
  svg { color: #1c2024; --paper: #ffffff; ${colours('light')} }
  @media (prefers-color-scheme: dark) { svg { color: #e8eaed; --paper: #14171a; ${colours('dark')} } }`;

/** `plot` are Plot's options. */
export function svg({ title, description, plot }) {
  const { document } = parseHTML('<html><body></body></html>');
  const figure = Plot.plot({ document, marginLeft: 56, marginBottom: 40, style: { fontSize: '12px' }, ...plot });
  figure.querySelector('style').remove(); // Plot's own, for a chart inside a page
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', role: 'img', 'aria-labelledby': 'title description' };
  for (const [name, value] of Object.entries(attributes)) figure.setAttribute(name, value);
  figure.prepend(
    element(document, 'title', { id: 'title' }, title),
    element(document, 'desc', { id: 'description' }, description),
    element(document, 'style', {}, style),
    element(document, 'rect', { width: '100%', height: '100%', fill: 'var(--paper)' }),
  );
  return `${figure.outerHTML}\n`;
}

function element(document, name, attributes, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
