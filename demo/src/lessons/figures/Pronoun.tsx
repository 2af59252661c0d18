import { plain, rankOf } from '../../attention/pairs';
import { rowOf } from '../../attention/weights';
import { head, reading } from '../../state/shown';

const nouns = ['animal', 'street'];

/** What “it” gives to the two things it could be. */
export function Pronoun() {
  const { tokens } = reading.value;
  const it = tokens.indexOf('it');
  const keys = nouns.map((noun) => tokens.indexOf(noun));
  if (it < 0 || keys.includes(-1)) return <p class="hint">The numbers of the opening sentence appear here.</p>;
  const row = rowOf(head.value, it);
  return (
    <dl class="lesson-figures" data-testid="lesson-numbers">
      {keys.map((key, i) => (
        <div key={key}>
          <dt>
            it → {nouns[i]} <small>rank {rankOf(row, key)}</small>
          </dt>
          <dd data-value={row[key]}>{plain(row[key])}</dd>
        </div>
      ))}
    </dl>
  );
}
