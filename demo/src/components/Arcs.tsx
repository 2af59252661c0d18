import { arc, type Box, type Space } from '../attention/arcs';
import { rowOf, short } from '../attention/pairs';
import { matrix, view } from '../state';

/** Weaker ones would only be a haze. */
const faintest = 0.02;

interface Line {
  key: string;
  weight: number;
  path: string;
  kind: 'arc' | 'arc arc-incoming' | 'arc arc-target';
}

/** What the active token attends to (below, solid) and what attends to it (above, dashed). */
export function Arcs({ boxes, active, target }: { boxes: Box[]; active: number; target: number }) {
  if (!boxes[active] || !boxes[target]) return null;
  const size = view.value.tokens.length;
  const row = rowOf(matrix.value, size, active);
  const space = spaceOf(boxes);
  const lines: Line[] = [];
  boxes.forEach((box, other) => {
    const incoming = matrix.value[other * size + active];
    if (other !== active && incoming >= faintest) {
      const { path } = arc(box, boxes[active], 'above', space);
      lines.push({ key: `in-${other}`, weight: incoming, path, kind: 'arc arc-incoming' });
    }
    if (row[other] >= faintest || other === target) {
      const { path } = arc(boxes[active], box, 'below', space);
      lines.push({ key: `out-${other}`, weight: row[other], path, kind: other === target ? 'arc arc-target' : 'arc' });
    }
  });
  lines.sort((a, b) => a.weight - b.weight);
  const label = arc(boxes[active], boxes[target], 'below', space);

  return (
    <svg class="arcs" aria-hidden="true">
      {lines.map(({ key, weight, path, kind }) => (
        <path key={key} class={kind} d={path} stroke-width={1 + 6 * weight} opacity={0.25 + 0.75 * Math.sqrt(weight)} />
      ))}
      <text class="arc-label" x={label.x} y={label.y} dy="0.35em" text-anchor="middle">
        {short(row[target])}
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
