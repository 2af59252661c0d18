/** A token's place in the token view, in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Arc {
  path: string;
  /** Where its number is written. */
  x: number;
  y: number;
}

/** Where arcs may go. */
export interface Space {
  /** How far an arc may swing before it meets other writing. */
  room: number;
  /** The length at which it swings that far. */
  reach: number;
}

const centre = (box: Box) => box.left + box.width / 2;
const sameLine = (a: Box, b: Box) => Math.abs(a.top - b.top) < a.height / 2;

/** Tokens on one line are joined below it (what the token attends to) or above it (what attends to it); lines are joined by their facing sides. */
export function arc(from: Box, to: Box, side: 'below' | 'above', space: Space): Arc {
  return sameLine(from, to) ? bow(from, to, side, space) : bridge(from, to);
}

function bow(from: Box, to: Box, side: 'below' | 'above', { room, reach }: Space): Arc {
  const self = centre(from) === centre(to);
  const x1 = self ? centre(from) - 8 : centre(from);
  const x2 = self ? centre(from) + 8 : centre(to);
  const depth = Math.max(Math.min(16, room), room * Math.sqrt(Math.min(1, Math.abs(x2 - x1) / reach)));
  const y = side === 'below' ? from.top + from.height : from.top;
  // A cubic reaches three quarters of the way to its control points.
  const control = y + ((side === 'below' ? depth : -depth) * 4) / 3;
  const middle = y + (side === 'below' ? depth : -depth);
  return { path: `M${x1} ${y}C${x1} ${control} ${x2} ${control} ${x2} ${y}`, x: (x1 + x2) / 2, y: middle };
}

function bridge(from: Box, to: Box): Arc {
  const down = to.top > from.top;
  const x1 = centre(from);
  const x2 = centre(to);
  const y1 = down ? from.top + from.height : from.top;
  const y2 = down ? to.top : to.top + to.height;
  const middle = (y1 + y2) / 2;
  // Beside the curve: it is often too short to carry a number.
  return { path: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, x: (x1 + x2) / 2 + 24, y: middle };
}
