import type { Box } from '../attention/arcs';
import { type Line, linesOf, strokeOf } from '../attention/lines';
import { type Pair, short } from '../attention/pairs';
import { isolated, pieceText, words } from '../attention/tokens';
import { rowOf } from '../attention/weights';
import type { HeadData } from '../engine/protocol';
import { paper, sans } from './paper';

/** The arcs of one pair, and of those locked beside it. */
export interface Drawing {
  titles: readonly string[];
  tokens: readonly string[];
  head: HeadData;
  active: Pair;
  locked: readonly Pair[];
}

const width = 1040;
const margin = 24;
const fontSize = 18;
const lineHeight = 28;
/** Room for arcs above, between and below the lines. */
const gap = 64;
const titleHeight = 20;

/** The width of a text in CSS pixels, at the size of the tokens. */
export type Measure = (text: string) => number;

/** A file that stands alone: every colour and place is in it. */
export function svgOf({ titles, tokens, head, active, locked }: Drawing, measure: Measure): string {
  const [first] = head.range;
  const boxes = layOut(tokens, head.range, measure);
  const drawn = linesOf(head, boxes, first, active, locked);
  const top = margin + titles.length * titleHeight;
  const height = top + Math.max(0, ...boxes.map((box) => box.top + box.height)) + gap;
  const emphasised = new Set([active.query, active.key]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(sans)}">`,
    `<title>${escaped(titles.join(' · '))}</title>`,
    `<rect width="${width}" height="${height}" fill="${paper.ground}"/>`,
    ...titles.map((title, i) => {
      const y = margin + (i + 0.5) * titleHeight;
      const [weight, fill] = i === 0 ? [600, paper.ink] : [400, paper.quiet];
      return `<text x="${margin}" y="${y}" font-size="14" font-weight="${weight}" fill="${fill}">${escaped(title)}</text>`;
    }),
    `<g transform="translate(${margin} ${top})">`,
    ...(drawn?.lines.map(pathOf) ?? []),
    ...boxes.map((box, i) => {
      const weight = emphasised.has(first + i) ? 600 : 400;
      return `<text x="${fixed(box.left + box.width / 2)}" y="${fixed(box.top + box.height / 2)}" dy="0.35em" text-anchor="middle" font-size="${fontSize}" font-weight="${weight}" fill="${paper.ink}" xml:space="preserve">${escaped(isolated(pieceText(tokens[first + i])))}</text>`;
    }),
    ...(drawn
      ? [
          `<text x="${fixed(drawn.label.x)}" y="${fixed(drawn.label.y)}" dy="0.35em" text-anchor="middle" font-size="13" font-weight="600" fill="${paper.ink}" stroke="${paper.ground}" stroke-width="6" stroke-linejoin="round" paint-order="stroke">${escaped(short(rowOf(head, active.query)[active.key]))}</text>`,
        ]
      : []),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function pathOf({ weight, path, kind }: Line): string {
  const { width: stroke, opacity } = strokeOf(weight);
  const look =
    kind === 'incoming'
      ? `stroke="${paper.quiet}" stroke-dasharray="4 4"`
      : `stroke="${paper.accent}" stroke-linecap="round"`;
  return `<path d="${path.replace(/-?\d+\.\d+/g, (number) => fixed(Number(number)))}" fill="none" ${look} stroke-width="${fixed(stroke)}" opacity="${fixed(opacity)}"/>`;
}

/** The pieces of a word close together, the words in lines. */
function layOut(tokens: readonly string[], range: readonly [number, number], measure: Measure): Box[] {
  const boxes: Box[] = [];
  let [left, top] = [0, gap];
  for (const pieces of words(tokens, range)) {
    const widths = pieces.map((i) => measure(pieceText(tokens[i])));
    const whole = widths.reduce((a, b) => a + b, 0) + pieces.length - 1;
    if (left > 0 && left + whole > width - 2 * margin) [left, top] = [0, top + lineHeight + gap];
    for (const piece of widths) {
      boxes.push({ left, top, width: piece, height: lineHeight });
      left += piece + 1;
    }
    left += 12;
  }
  return boxes;
}

const fixed = (value: number) => String(Math.round(value * 100) / 100);

/** Only characters that XML may hold (1.0, 2.2); what it reads as markup is named. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => `&${names[character]};`);
}

const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
