import { type Point, type Way, ways } from '../../engine/calls/lengths';
import { type Axis, apart, decades, logAxis, powersOfTen } from './log';

const [width, height] = [320, 224];
const edge = { top: 24, right: 60, bottom: 48, left: 36 };
/** From the axis to the first mark. */
const inset = 8;
const lengths = [128, 512, 2048, 8192];
const labelHeight = 14;

/** Lines over logarithmic axes, told apart by dashes and marks and named at their ends. The table says the same in numbers. */
export function LengthLines({ points, names }: { points: readonly Point[]; names: Record<Way, string> }) {
  const times = points.map(({ milliseconds }) => Math.max(0.001, milliseconds));
  const range = times.length > 0 ? decades(times) : ([0.1, 100] as const);
  const x = logAxis([lengths[0], 8192], [edge.left + inset, width - edge.right]);
  const y = logAxis(range, [height - edge.bottom, edge.top]);
  const lines = ways
    .map((way) => ({ way, own: points.filter((point) => point.way === way) }))
    .filter(({ own }) => own.length > 0);
  const ends = apart(
    lines.map(({ own }) => y(own[own.length - 1].milliseconds)),
    labelHeight,
    height - edge.bottom,
  );
  return (
    <svg class="lines" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={describe(points, names)}>
      <g class="lines-axes">
        {powersOfTen([range[0], range[1]]).map((time) => (
          <g key={time}>
            <path d={`M${edge.left} ${y(time)}H${width - edge.right}`} />
            <text x={edge.left - 6} y={y(time) + 4} text-anchor="end">
              {time}
            </text>
          </g>
        ))}
        {lengths.map((tokens) => (
          <g key={tokens}>
            <path d={`M${x(tokens)} ${height - edge.bottom}v4`} />
            <text x={x(tokens)} y={height - edge.bottom + 16} text-anchor="middle">
              {tokens.toLocaleString('en')}
            </text>
          </g>
        ))}
        <text x={0} y={12}>
          ms
        </text>
        <text x={(edge.left + inset + width - edge.right) / 2} y={height - 8} text-anchor="middle">
          tokens
        </text>
      </g>
      {lines.map(({ way, own }, i) => (
        <g key={way} class={`line line-${way}`}>
          <path class="line-path" d={pathOf(own, x, y)} />
          {own.map(({ tokens, milliseconds }) => (
            <path key={tokens} class="line-mark" d={marks[way](x(tokens), y(milliseconds))} />
          ))}
          <text x={x(own[own.length - 1].tokens) + 8} y={ends[i] + 4}>
            {names[way]}
          </text>
        </g>
      ))}
    </svg>
  );
}

const pathOf = (own: readonly Point[], x: Axis, y: Axis) =>
  own.map(({ tokens, milliseconds }, i) => `${i === 0 ? 'M' : 'L'}${x(tokens)} ${y(milliseconds)}`).join('');

const marks: Record<Way, (x: number, y: number) => string> = {
  full: (x, y) => `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z`,
  window: (x, y) => `M${x - 3} ${y - 3}h6v6h-6z`,
  linear: (x, y) => `M${x} ${y - 4}l4 7h-8z`,
};

function describe(points: readonly Point[], names: Record<Way, string>): string {
  if (points.length === 0) return 'Milliseconds against tokens: nothing is measured yet.';
  const parts = ways.flatMap((way) => {
    const own = points.filter((point) => point.way === way);
    const last = own.at(-1);
    return last ? [`${names[way]} ${last.milliseconds.toPrecision(2)} ms at ${last.tokens}`] : [];
  });
  return `Milliseconds against tokens: ${parts.join(', ')}.`;
}
