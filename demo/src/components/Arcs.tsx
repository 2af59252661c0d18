import { arc, type Box, type Space } from '../attention/arcs';
import { type Pair, short } from '../attention/pairs';
import { columnOf, rowOf } from '../attention/weights';
import { lockedPairs } from '../state/pairs';
import { head } from '../state/shown';

/** Weaker ones would only be a haze. */
const faintest = 0.02;

interface Line {
  key: string;
  weight: number;
  path: string;
  kind: 'arc' | 'arc arc-incoming' | 'arc arc-target';
}

/**
 * What the active token attends to (below, solid) and what attends to it (above, dashed); of other locked tokens what they
 * attend to. `boxes` begin with the token `first`.
 */
export function Arcs({ boxes, first, active }: { boxes: Box[]; first: number; active: Pair }) {
  const at = (token: number): Box | undefined => boxes[token - first];
  const [from, to] = [at(active.query), at(active.key)];
  if (!from || !to) return null;
  const space = spaceOf(boxes);
  const lines: Line[] = [];
  const outgoing = (query: number, target: number) => {
    const row = rowOf(head.value, query);
    boxes.forEach((box, i) => {
      const other = first + i;
      if (row[other] < faintest && other !== target) return;
      const { path } = arc(at(query) as Box, box, 'below', space);
      const kind = other === target ? 'arc arc-target' : 'arc';
      lines.push({ key: `${query}-${other}`, weight: row[other], path, kind });
    });
  };
  const incoming = columnOf(head.value, active.query);
  boxes.forEach((box, i) => {
    if (first + i === active.query || incoming[first + i] < faintest) return;
    const { path } = arc(box, from, 'above', space);
    lines.push({ key: `in-${first + i}`, weight: incoming[first + i], path, kind: 'arc arc-incoming' });
  });
  for (const { query, key } of lockedPairs.value) if (query !== active.query && at(query)) outgoing(query, key);
  outgoing(active.query, active.key);
  lines.sort((a, b) => a.weight - b.weight);
  const label = arc(from, to, 'below', space);

  return (
    <svg class="arcs" aria-hidden="true">
      {lines.map(({ key, weight, path, kind }) => (
        <path key={key} class={kind} d={path} stroke-width={1 + 6 * weight} opacity={0.25 + 0.75 * Math.sqrt(weight)} />
      ))}
      <text class="arc-label" x={label.x} y={label.y} dy="0.35em" text-anchor="middle">
        {short(rowOf(head.value, active.query)[active.key])}
      </text>
    </svg>
  );
}

/** How far an arc may swing before it meets another line of tokens, or the edge. */
function spaceOf(boxes: Box[]): Space {
  const first = boxes[0];
  const nextLine = boxes.find((box) => box.top > first.top + first.height / 2);
  const room = nextLine ? nextLine.top - first.top - first.height - 8 : first.top - 10;
  return { room, reach: (Math.max(...boxes.map((box) => box.left + box.width)) * 2) / 3 };
}
