import { byWeight, plain, rankOf, rowOf } from '../attention/pairs';
import { isRepeated } from '../attention/tokens';
import { lock, lockedPair, matrix, pair, point, pointNowhere, unlock, view } from '../state';
import { moveFocus } from './roving';

/** The pair in question and its numbers, and everything else its query attends to. */
export function Inspector() {
  const { tokens } = view.value;
  const current = pair.value;
  if (!current) {
    return (
      <section class="inspector" aria-label="Pair">
        <p class="empty">The numbers of a pair of tokens appear here.</p>
      </section>
    );
  }
  const { query, key } = current;
  const row = rowOf(matrix.value, tokens.length, query);
  const back = rowOf(matrix.value, tokens.length, key);
  const isLocked = lockedPair.value !== null;
  return (
    <section class="inspector" aria-label="Pair">
      <div class="panel-head">
        <span>{isLocked ? 'Locked pair' : 'Strongest pair'}</span>
        {isLocked ? (
          <button type="button" class="button" aria-keyshortcuts="Escape" onClick={unlock}>
            Unlock
          </button>
        ) : (
          <span>click a token to lock</span>
        )}
      </div>
      <h2 class="pair">
        {tokens[query]} <span class="arrow">→</span> {tokens[key]}
      </h2>
      <dl class="figures">
        <div>
          <dt>weight</dt>
          <dd>{plain(row[key])}</dd>
        </div>
        <div>
          <dt>rank</dt>
          <dd>
            {rankOf(row, key)} <small>of {tokens.length}</small>
          </dd>
        </div>
        <div>
          <dt>reverse</dt>
          <dd>{plain(back[query])}</dd>
        </div>
      </dl>
      <h3>“{tokens[query]}” attends to</h3>
      <Bars row={row} query={query} current={key} />
      <p class="caveat">Where a head looks is not yet why a model decides.</p>
    </section>
  );
}

function Bars({ row, query, current }: { row: Float32Array; query: number; current: number }) {
  const { tokens, positions } = view.value;
  return (
    <ol
      class="bars"
      aria-label="Weights of the row"
      onKeyDown={moveFocus}
      onPointerLeave={pointNowhere}
      onFocusOut={pointNowhere}
    >
      {byWeight(row).map((key) => (
        <li key={key}>
          <button
            type="button"
            class="bar"
            tabIndex={key === current ? 0 : -1}
            aria-pressed={key === current}
            style={{ '--weight': row[key] }}
            onPointerEnter={() => point(query, key)}
            onFocus={() => point(query, key)}
            onClick={() => lock({ query, key })}
          >
            <span class="bar-token">
              {tokens[key]} {isRepeated(tokens, key) && <small title="position in the text">{positions[key]}</small>}
            </span>{' '}
            <span class="bar-track" aria-hidden="true" />
            <span class="bar-value">{plain(row[key])}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
