import { byWeight, plain } from '../attention/pairs';
import { isRepeated } from '../attention/tokens';
import { rowOf } from '../attention/weights';
import { lock, point, pointNowhere } from '../state/pairs';
import { head, reading } from '../state/shown';
import { moveFocus } from './roving';

/** More are weaker than anyone reads; the table has them all. */
const mostBars = 24;

/** What a query attends to, the strongest first. */
export function Bars({ query, current }: { query: number; current: number }) {
  const { tokens } = reading.value;
  const { range } = head.value;
  const row = rowOf(head.value, query);
  const keys = byWeight(row, range);
  const shown = keys.slice(0, mostBars);
  const tabStop = shown.includes(current) ? current : shown[0];
  return (
    <>
      <ol
        class="bars"
        aria-label="Weights of the row"
        onKeyDown={moveFocus}
        onPointerLeave={pointNowhere}
        onFocusOut={pointNowhere}
      >
        {shown.map((key) => (
          <li key={key}>
            <button
              type="button"
              class="bar"
              tabIndex={key === tabStop ? 0 : -1}
              aria-pressed={key === current}
              style={{ '--weight': row[key].toFixed(3) }}
              onPointerEnter={() => point(query, key)}
              onFocus={() => point(query, key)}
              onClick={() => lock({ query, key })}
            >
              <span class="bar-token">
                <bdi>{tokens[key]}</bdi> {isRepeated(tokens, key) && <small title="position in the text">{key}</small>}
              </span>{' '}
              <span class="bar-track" aria-hidden="true" />
              <span class="bar-value">{plain(row[key])}</span>
            </button>
          </li>
        ))}
      </ol>
      {keys.length > mostBars && (
        <p class="caveat">
          and {keys.length - mostBars} more, none above {plain(row[keys[mostBars]])}
        </p>
      )}
    </>
  );
}
