import { plain, rankOf } from '../attention/pairs';
import { isAttended, rowOf, scoreOf } from '../attention/weights';
import { lockedPair, lockedPairs, pair, unlock } from '../state/pairs';
import { head, reading } from '../state/shown';
import { Bars } from './Bars';
import { Habit } from './Habit';
import { Steps } from './Steps';

/** The pair in question and its numbers, and everything else its query attends to. */
export function Inspector() {
  const { tokens } = reading.value;
  const current = pair.value;
  if (!current) return <p class="empty">The numbers of a pair of tokens appear here.</p>;
  const { query, key } = current;
  const row = rowOf(head.value, query);
  const isLocked = lockedPair.value !== null;
  const [from, to] = head.value.range;
  return (
    <>
      <div class="panel-head">
        <span>{isLocked ? 'Locked pair' : 'Strongest pair'}</span>
        {isLocked ? (
          <button type="button" class="button" aria-keyshortcuts="Escape" onClick={() => unlock()}>
            {lockedPairs.value.length > 1 ? `Unlock ${lockedPairs.value.length}` : 'Unlock'}
          </button>
        ) : (
          <span>click a token to lock</span>
        )}
      </div>
      <h2 class="pair">
        <bdi>{tokens[query]}</bdi> <span class="arrow">→</span> <bdi>{tokens[key]}</bdi>
      </h2>
      <dl class="figures">
        <div>
          <dt>{head.value.keyBias ? 'share' : 'weight'}</dt>
          <dd>{plain(row[key])}</dd>
        </div>
        <div>
          <dt>rank of {to - from}</dt>
          <dd>{rankOf(row, key)}</dd>
        </div>
        {head.value.lens.kind === 'heads' && (
          <div>
            <dt>score</dt>
            <dd>{scoreOf(head.value, query, key).toFixed(2)}</dd>
          </div>
        )}
        <div>
          <dt>mask</dt>
          <dd>{isAttended(head.value, query, key) ? 'none' : 'hidden'}</dd>
        </div>
        <div>
          <dt>reverse</dt>
          <dd>{plain(rowOf(head.value, key)[query])}</dd>
        </div>
      </dl>
      <Habit />
      <h3>
        “<bdi>{tokens[query]}</bdi>” attends to
      </h3>
      <Bars query={query} current={key} />
      <Steps query={query} current={key} />
      <p class="caveat">Where a head looks is not yet why a model decides: attention is not explanation.</p>
    </>
  );
}
