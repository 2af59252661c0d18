import { tiny } from '../attention/pairs';
import { isolated, pieceText } from '../attention/tokens';
import type { Tile } from '../engine/protocol';
import { isBright, type Scale } from '../heatmap/colors';
import type { Matrix } from '../heatmap/matrix';
import { paper, sans } from './paper';

/** One matrix of a picture, with the cells it is drawn from. */
export interface Part {
  /** Above it; empty where the picture's own titles say all. */
  name: string;
  matrix: Pick<Matrix, 'tokens' | 'length' | 'scale' | 'value'>;
  tile: Tile;
}

/** What of a canvas is drawn with. */
export type Context = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'imageSmoothingEnabled'
  | 'fillRect'
  | 'fillText'
  | 'measureText'
  | 'drawImage'
  | 'save'
  | 'restore'
  | 'translate'
  | 'rotate'
  | 'scale'
>;

/** A tile in the colours of a scale, one pixel a cell. */
export type PictureOf = (tile: Tile, scale: Scale) => CanvasImageSource;

/** Where one part goes. */
interface Frame {
  /** Where its name stands. */
  name: { left: number; middle: number };
  /** Of the square of cells. */
  left: number;
  top: number;
  side: number;
  cell: number;
  font: string;
}

export interface Sheet {
  width: number;
  height: number;
  frames: Frame[];
}

/** Pixels of the file to one of the measures below. */
export const density = 2;
/** Longer texts are drawn without their tokens. */
const mostLabels = 128;
const longestLabel = 16;
const margin = 24;
const titleHeight = 20;
const space = 32;
const ramp = { width: 128, height: 8, room: 32 };
const plainFont = `13px ${sans}`;
const boldFont = `600 15px ${sans}`;

/** Where everything goes, by the number of tokens and how wide they are. */
export function sheetOf(titles: readonly string[], parts: readonly Part[], context: Context): Sheet {
  const width = (text: string, font: string) => {
    context.font = font;
    return Math.ceil(context.measureText(text).width);
  };
  let [left, bottom] = [margin, 0];
  const top = margin + titles.length * titleHeight + (parts.some(({ name }) => name) ? titleHeight : 0) + 8;
  const frames = parts.map(({ matrix, tile }) => {
    const cell = cellOf(matrix.length, tile);
    const font = `${Math.min(12, cell - 1)}px ${sans}`;
    const label = 8 + Math.max(0, ...labelsOf(matrix).map((text) => width(text, font)));
    const frame = {
      name: { left, middle: top - titleHeight / 2 },
      left: left + label,
      top: top + label,
      side: cell * matrix.length,
      cell,
      font,
    };
    bottom = Math.max(bottom, frame.top + frame.side);
    left = frame.left + Math.max(frame.side, ramp.width + 120) + space;
    return frame;
  });
  const widest = Math.max(...titles.map((title, i) => width(title, fontOf(i))));
  return {
    width: Math.max(left - space, margin + widest) + margin,
    height: Math.ceil(bottom) + ramp.room + margin,
    frames,
  };
}

/** Texts, and facts about each. */
const fontOf = (title: number) => (title % 2 === 0 ? boldFont : plainFont);

/** So that every cell has as many whole pixels of the file. */
function cellOf(length: number, { size }: Tile): number {
  if (length <= 20) return 32;
  if (length <= 48) return 20;
  if (length <= mostLabels) return 12;
  const pixels = Math.max(1, Math.floor(2048 / size[0]));
  return (pixels * size[0]) / length / density;
}

const labelsOf = ({ length, tokens }: Part['matrix']) => (length > mostLabels ? [] : tokens.map(labelOf));

function labelOf(token: string): string {
  const characters = [...pieceText(token)];
  const isLong = characters.length > longestLabel;
  return isolated(isLong ? `${characters.slice(0, longestLabel - 1).join('')}…` : characters.join(''));
}

/** From the numbers, not from the screen: the picture is the same whatever the size of the window. */
export function drawSheet(
  context: Context,
  { width, height, frames }: Sheet,
  titles: readonly string[],
  parts: readonly Part[],
  pictureOf: PictureOf,
): void {
  context.scale(density, density);
  context.imageSmoothingEnabled = false;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = paper.ground;
  context.fillRect(0, 0, width, height);
  titles.forEach((title, i) => {
    context.fillStyle = i % 2 === 0 ? paper.ink : paper.quiet;
    context.font = fontOf(i);
    context.fillText(title, margin, margin + (i + 0.5) * titleHeight);
  });
  parts.forEach((part, i) => {
    const { left, top, side, name } = frames[i];
    context.textAlign = 'left';
    context.fillStyle = paper.ink;
    context.font = boldFont;
    context.fillText(part.name, name.left, name.middle);
    context.drawImage(pictureOf(part.tile, part.matrix.scale), left, top, side, side);
    drawLabels(context, frames[i], part);
    if (frames[i].cell >= 28) drawNumbers(context, frames[i], part);
    drawLegend(context, frames[i], part, pictureOf);
  });
}

function drawLabels(context: Context, { left, top, cell, font }: Frame, { matrix }: Part): void {
  context.fillStyle = paper.quiet;
  context.font = font;
  labelsOf(matrix).forEach((label, i) => {
    const middle = (i + 0.5) * cell;
    context.textAlign = 'right';
    context.fillText(label, left - 6, top + middle);
    context.save();
    context.translate(left + middle, top - 6);
    context.rotate(-Math.PI / 2);
    context.textAlign = 'left';
    context.fillText(label, 0, 0);
    context.restore();
  });
}

function drawNumbers(context: Context, { left, top, cell }: Frame, { matrix }: Part): void {
  context.font = `10px ${sans}`;
  context.textAlign = 'center';
  for (let row = 0; row < matrix.length; row++) {
    for (let column = 0; column < matrix.length; column++) {
      const value = matrix.value(row, column);
      if (Math.abs(value) < 0.01) continue;
      context.fillStyle = isBright(matrix.scale, value) ? '#000' : '#fff';
      context.fillText(tiny(value), left + (column + 0.5) * cell, top + (row + 0.5) * cell);
    }
  }
}

/** Every colour of the scale from its first to its last value. */
function drawLegend(
  context: Context,
  frame: Frame,
  { matrix: { scale, length }, tile }: Part,
  pictureOf: PictureOf,
): void {
  const isWeights = scale.name === 'weights';
  const cells = Float32Array.from({ length: 256 }, (_, i) =>
    isWeights ? (i / 255) ** 2 : Math.sign(i - 127.5) * ((2 * i) / 255 - 1) ** 2,
  );
  const middle = frame.top + frame.side + ramp.room / 2 + 4;
  const colours = { rows: [0, 1], columns: [0, 256], size: [1, 256], cells } as const;
  context.drawImage(pictureOf(colours, scale), frame.left + 24, middle - ramp.height / 2, ramp.width, ramp.height);
  context.font = `12px ${sans}`;
  context.fillStyle = paper.quiet;
  context.textAlign = 'right';
  context.fillText(isWeights ? '0' : '−1', frame.left + 18, middle);
  context.textAlign = 'left';
  const isPooled = tile.size[0] < length;
  context.fillText(
    `${isWeights ? '1' : '+1'}   √ scale${isPooled ? ', largest of each block' : ''}`,
    frame.left + ramp.width + 30,
    middle,
  );
}
