import type { Box } from '../attention/arcs';
import { linesOf, strokeOf } from '../attention/lines';
import { type Pair, short } from '../attention/pairs';
import { rowOf } from '../attention/weights';
import { lockedPairs } from '../state/pairs';
import { head } from '../state/shown';

const classes = { outgoing: 'arc', incoming: 'arc arc-incoming', target: 'arc arc-target' };

/**
 * What the active token attends to (below, solid) and what attends to it (above, dashed); of other locked tokens what they
 * attend to. `boxes` begin with the token `first`.
 */
export function Arcs({ boxes, first, active }: { boxes: Box[]; first: number; active: Pair }) {
  const drawn = linesOf(head.value, boxes, first, active, lockedPairs.value);
  if (!drawn) return null;
  const { lines, label } = drawn;
  return (
    <svg class="arcs" aria-hidden="true">
      {lines.map(({ key, weight, path, kind }) => {
        const { width, opacity } = strokeOf(weight);
        return <path key={key} class={classes[kind]} d={path} stroke-width={width} opacity={opacity} />;
      })}
      <text class="arc-label" x={label.x} y={label.y} dy="0.35em" text-anchor="middle">
        {short(rowOf(head.value, active.query)[active.key])}
      </text>
    </svg>
  );
}
