import { changeText, excerpt, lensText, maskText, modelText, placeText } from '../attention/describe';
import { weightOf } from '../attention/weights';
import { pictureOf } from '../heatmap/canvas2d';
import { fetchTile, type Matrix, matrixOfHead } from '../heatmap/matrix';
import { comparison, current, difference, matrixOfA, matrixOfB, type View } from '../state/compare';
import { lockedPairs, pair } from '../state/pairs';
import { csvLines } from './csv';
import { jsonLines } from './json';
import { type Rows, wholeLimit } from './numbers';
import { sans } from './paper';
import { density, drawSheet, type Part, sheetOf } from './png';
import { svgOf } from './svg';

export type Format = 'PNG' | 'SVG' | 'CSV' | 'JSON';

/** More cells a side than this are larger than most screens. */
const mostCells = 1024;
/** Milliseconds after which the page gets its turn. */
const longestStretch = 16;

/** Why a format is not to be had of what is on screen; empty where it is. */
export function refusalOf(format: Format): string {
  const [from, to] = current.value.head.range;
  if (from === to) return 'There is no text.';
  if (format === 'PNG' || to - from <= wholeLimit) return '';
  return `Only up to ${wholeLimit.toLocaleString('en')} tokens.`;
}

/** Saves what is on screen, and says under which name. */
export async function save(format: Format): Promise<string> {
  const view = current.peek();
  const name = fileName(view, format);
  download(await makers[format](view), name);
  return name;
}

const makers: Record<Format, (view: View) => Promise<Blob>> = {
  PNG: picture,
  SVG: async (view) => new Blob([arcs(view)], { type: 'image/svg+xml' }),
  CSV: (view) => gathered(csvLines(rowsOf(view)), 'text/csv'),
  JSON: (view) => gathered(jsonLines(factsOf(view), rowsOf(view)), 'application/json'),
};

function fileName({ head: { lens, layer, head } }: View, format: Format): string {
  const isComparison = format === 'PNG' && comparison.peek() !== null;
  const place = lens.kind === 'rollout' ? `rollout-layer${layer}` : `layer${layer}-head${head}`;
  return `attention-${isComparison ? 'comparison-' : ''}${place}.${format.toLowerCase()}`;
}

function rowsOf({ head, reading }: View): Rows {
  const [from, to] = head.range;
  const tokens = reading.tokens.slice(from, to);
  return { tokens, row: (i) => tokens.map((_, j) => weightOf(head, from + i, from + j)) };
}

function factsOf({ head, reading }: View): Record<string, unknown> {
  const { pass, model } = reading;
  return {
    model: { title: model.title, type: model.type, layers: model.layers, heads: model.heads, weights: model.weights },
    text: pass.text,
    layer: head.layer,
    ...(head.lens.kind === 'heads' && { head: head.head }),
    lens: head.lens,
    mask: head.mask,
    causal: head.isCausal || head.mask.causal,
    headsOff: pass.ablated,
    temperature: pass.temperature,
    firstToken: head.range[0],
  };
}

/** The text, and what is seen of it. */
function titlesOf(view: View, name = ''): string[] {
  const { head, reading } = view;
  const facts = [
    placeText(head),
    lensText(head.lens),
    maskText(head.mask, head.isCausal),
    modelText(reading.model),
    changeText(reading.pass),
  ];
  const text = excerpt(reading.pass.text, 80) || `${head.size} tokens`;
  return [`${name}${text}`, facts.filter(Boolean).join(' · ')];
}

async function picture(view: View): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser gave no 2D canvas to draw on.');
  const { titles, parts } = await contentsOf(view);
  const sheet = sheetOf(titles, parts, context);
  canvas.width = Math.ceil(sheet.width * density);
  canvas.height = Math.ceil(sheet.height * density);
  drawSheet(context, sheet, titles, parts, pictureOf);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large for this browser.')))),
  );
}

/** The head, or everything that is compared. */
async function contentsOf(view: View): Promise<{ titles: string[]; parts: Part[] }> {
  const compared = comparison.peek();
  if (!compared) {
    const matrix = matrixOfHead(view.head, view.reading.tokens);
    return { titles: titlesOf(view), parts: [await partOf('', matrix)] };
  }
  const named = { A: matrixOfA.peek(), B: matrixOfB.peek(), 'B − A': difference.peek() };
  const parts = Object.entries(named).flatMap(([name, matrix]) => (matrix ? [partOf(name, matrix)] : []));
  return {
    titles: [...titlesOf(compared.a, 'A: '), ...titlesOf(compared.b, 'B: ')],
    parts: await Promise.all(parts),
  };
}

/** In more cells than the picture of the whole has, where the worker can make them. */
async function partOf(name: string, matrix: Matrix): Promise<Part> {
  const { length, root } = matrix;
  const cells = Math.min(length, mostCells);
  if (root.size[0] >= cells) return { name, matrix, tile: root };
  const whole = { rows: [0, length], columns: [0, length], size: [cells, cells] } as const;
  return { name, matrix, tile: (await fetchTile(matrix, whole).catch(() => null)) ?? root };
}

function arcs({ head, reading }: View): string {
  const context = document.createElement('canvas').getContext('2d');
  if (context) context.font = `18px ${sans}`;
  const [first] = head.range;
  return svgOf(
    {
      titles: titlesOf({ head, reading }),
      tokens: reading.tokens,
      head,
      active: pair.peek() ?? { query: first, key: first },
      locked: lockedPairs.peek(),
    },
    (text) => context?.measureText(text).width ?? 9 * text.length,
  );
}

/** A long file is written between other work of the page. */
async function gathered(lines: Iterable<string>, type: string): Promise<Blob> {
  const parts: string[] = [];
  let start = performance.now();
  for (const line of lines) {
    parts.push(line);
    if (performance.now() - start < longestStretch) continue;
    await new Promise((resolve) => setTimeout(resolve));
    start = performance.now();
  }
  return new Blob(parts, { type });
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Some browsers read it only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
