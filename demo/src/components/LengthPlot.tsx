import { useEffect } from 'preact/hooks';
import { dims, near, type Way, ways } from '../engine/calls/lengths';
import { isMeasuring, measureLengths, measuringFailed, points, stopMeasuring } from '../state/lengths';
import { reading } from '../state/shown';
import { growthOf } from './charts/growth';
import { LengthLines } from './charts/LengthLines';

const names: Record<Way, string> = { full: 'full', window: 'window', linear: 'linear' };

/** Measured here and now: time against length, for attention and for two ways that grow more slowly. */
export function LengthPlot() {
  // Nobody looks any more.
  useEffect(() => stopMeasuring, []);
  return (
    <div class="length-plot" data-testid="length-plot" data-points={points.value.length} aria-busy={isMeasuring.value}>
      <LengthLines points={points.value} names={names} />
      <p class="hint" role="status">
        {statusText()}
      </p>
      <div class="tries">
        <button
          type="button"
          class="button"
          data-testid="measure-lengths"
          disabled={reading.value.engine === null}
          onClick={isMeasuring.value ? stopMeasuring : measureLengths}
        >
          {isMeasuring.value ? 'Stop' : points.value.length > 0 ? 'Measure again' : 'Measure'}
        </button>
      </div>
      {points.value.length > 0 && <Numbers />}
    </div>
  );
}

function statusText(): string {
  if (measuringFailed.value) return measuringFailed.value;
  if (isMeasuring.value) return 'Measuring; go on typing meanwhile.';
  const doubled = ways.map((way) => [way, growthOf(timesOf(way))] as const).filter(([, times]) => times > 0);
  if (doubled.length === 0)
    return `One head of ${dims} dimensions, random numbers; the window reaches ${near} tokens either way.`;
  return `Twice the tokens took ${doubled.map(([way, times]) => `${times.toFixed(1)}× as long (${names[way]})`).join(', ')}.`;
}

const timesOf = (way: Way) => points.value.filter((point) => point.way === way).map((point) => point.milliseconds);

/** The same as a table. */
function Numbers() {
  const lengths = [...new Set(points.value.map(({ tokens }) => tokens))];
  return (
    <details class="steps">
      <summary>As a table</summary>
      <table class="length-table" data-testid="length-table">
        <caption class="visually-hidden">Milliseconds of one call, medians</caption>
        <thead>
          <tr>
            <th scope="col">tokens</th>
            {ways.map((way) => (
              <th key={way} scope="col">
                {names[way]}, ms
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lengths.map((tokens) => (
            <tr key={tokens}>
              <th scope="row">{tokens.toLocaleString('en')}</th>
              {ways.map((way) => {
                const time = points.value.find((point) => point.way === way && point.tokens === tokens)?.milliseconds;
                return (
                  <td key={way} data-value={time}>
                    {time === undefined ? '–' : time.toPrecision(3)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
