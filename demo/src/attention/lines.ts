import type { HeadData } from '../engine/protocol';
import { arc, type Box, type Space } from './arcs';
import type { Pair } from './pairs';
import { columnOf, rowOf } from './weights';

/** Weaker ones would only be a haze. */
const faintest = 0.02;

export interface Line {
  key: string;
  weight: number;
  path: string;
  kind: 'outgoing' | 'incoming' | 'target';
}

export interface Lines {
  /** Weak ones first, so that strong ones are drawn over them. */
  lines: Line[];
  /** Where the weight of the active pair is written. */
  label: { x: number; y: number };
}

/**
 * What the active token attends to (below) and what attends to it (above); of other locked tokens what they attend to.
 * `boxes` begin with the token `first`; null where they have not both of the active tokens.
 */
export function linesOf(
  head: HeadData,
  boxes: readonly Box[],
  first: number,
  active: Pair,
  locked: readonly Pair[],
): Lines | null {
  const at = (token: number): Box | undefined => boxes[token - first];
  const [from, to] = [at(active.query), at(active.key)];
  if (!from || !to) return null;
  const space = spaceOf(boxes);
  const lines: Line[] = [];
  const outgoing = (query: number, target: number) => {
    const row = rowOf(head, query);
    boxes.forEach((box, i) => {
      const other = first + i;
      if (row[other] < faintest && other !== target) return;
      const { path } = arc(at(query) as Box, box, 'below', space);
      const kind = other === target ? 'target' : 'outgoing';
      lines.push({ key: `${query}-${other}`, weight: row[other], path, kind });
    });
  };
  const incoming = columnOf(head, active.query);
  boxes.forEach((box, i) => {
    if (first + i === active.query || incoming[first + i] < faintest) return;
    const { path } = arc(box, from, 'above', space);
    lines.push({ key: `in-${first + i}`, weight: incoming[first + i], path, kind: 'incoming' });
  });
  for (const { query, key } of locked) if (query !== active.query && at(query)) outgoing(query, key);
  outgoing(active.query, active.key);
  lines.sort((a, b) => a.weight - b.weight);
  const { x, y } = arc(from, to, 'below', space);
  return { lines, label: { x, y } };
}

export const strokeOf = (weight: number) => ({ width: 1 + 6 * weight, opacity: 0.25 + 0.75 * Math.sqrt(weight) });

/** How far an arc may swing before it meets another line of tokens, or the edge. */
function spaceOf(boxes: readonly Box[]): Space {
  const first = boxes[0];
  const nextLine = boxes.find((box) => box.top > first.top + first.height / 2);
  const room = nextLine ? nextLine.top - first.top - first.height - 8 : first.top - 10;
  return { room, reach: (Math.max(...boxes.map((box) => box.left + box.width)) * 2) / 3 };
}
