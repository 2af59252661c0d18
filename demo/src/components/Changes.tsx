import { computed } from '@preact/signals';
import { largestChanges, signed } from '../attention/changes';
import { plain } from '../attention/pairs';
import { isRepeated } from '../attention/tokens';
import { difference, matrixOfA, matrixOfB, obstacle } from '../state/compare';
import { lock, lockedPair, marked, point, pointNowhere } from '../state/pairs';
import { reading } from '../state/shown';
import { moveFocus } from './roving';

const mostChanges = 12;

const changes = computed(() => (difference.value ? largestChanges(difference.value, mostChanges) : []));

/** The pair in question in both views, and the pairs that differ most. */
export function Changes() {
  return (
    <>
      <Numbers />
      <p class="caveat">{compared()}</p>
      <List />
    </>
  );
}

/** Of the pair that every view marks. */
function Numbers() {
  const { tokens } = reading.value;
  if (!marked.value) return null;
  const { query, key } = marked.value;
  const [a, b] = [valueIn(matrixOfA.value, query, key), valueIn(matrixOfB.value, query, key)];
  return (
    <>
      <h2 class="pair compare-pair">
        <bdi>{tokens[query]}</bdi> <span class="arrow">→</span> <bdi>{tokens[key]}</bdi>
      </h2>
      <dl class="figures" data-testid="compared-pair">
        <Figure name="A" value={a} text={a === null ? 'none' : plain(a)} />
        <Figure name="B" value={b} text={b === null ? 'none' : plain(b)} />
        {a !== null && b !== null && <Figure name="B − A" value={b - a} text={signed(b - a)} />}
      </dl>
    </>
  );
}

function Figure({ name, value, text }: { name: string; value: number | null; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-value={value ?? undefined}>{text}</dd>
    </div>
  );
}

/** Null where this matrix has one of the tokens not. */
function valueIn(matrix: typeof difference.value, query: number, key: number): number | null {
  const [row, column] = [matrix?.placeOf(query) ?? null, matrix?.placeOf(key) ?? null];
  return matrix && row !== null && column !== null ? matrix.value(row, column) : null;
}

/** What is held against what. */
function compared(): string {
  if (obstacle.value) return obstacle.value;
  const [shown, a, b] = [difference.value, matrixOfA.value, matrixOfB.value];
  if (!shown || !a || !b) return '';
  if (a.length !== b.length)
    return `The ${shown.length} tokens that both have are compared: A has ${a.length}, B ${b.length}.`;
  const others = a.tokens.filter((token, i) => token !== b.tokens[i]).length;
  const words = others === 0 ? '' : `; ${others} of them ${others === 1 ? 'differs' : 'differ'}`;
  return `${shown.length} tokens are compared position by position${words}.`;
}

function List() {
  const { tokens } = reading.value;
  const shown = difference.value;
  if (!shown) return null;
  if (changes.value.length === 0) return <p class="caveat">No weight differs by as much as 0.0001.</p>;
  const pairs = changes.value.map(({ row, column, value }) => ({
    query: shown.tokenAt(row) as number,
    key: shown.tokenAt(column) as number,
    value,
  }));
  const isLocked = ({ query, key }: (typeof pairs)[number]) =>
    lockedPair.value?.query === query && lockedPair.value.key === key;
  const tabStop = Math.max(0, pairs.findIndex(isLocked));
  return (
    <>
      <h3 id="changes-title">Differ most</h3>
      <ol
        class="changes"
        aria-labelledby="changes-title"
        data-testid="changes"
        onKeyDown={moveFocus}
        onPointerLeave={pointNowhere}
        onFocusOut={pointNowhere}
      >
        {pairs.map((pair, i) => (
          <li key={`${pair.query}-${pair.key}`}>
            <button
              type="button"
              class="change"
              tabIndex={i === tabStop ? 0 : -1}
              aria-pressed={isLocked(pair)}
              data-value={pair.value}
              onPointerEnter={() => point(pair.query, pair.key)}
              onFocus={() => point(pair.query, pair.key)}
              onClick={() => lock({ query: pair.query, key: pair.key })}
            >
              <span class="change-pair">
                <Token tokens={tokens} index={pair.query} /> → <Token tokens={tokens} index={pair.key} />
              </span>{' '}
              <span class="change-from">
                {valueText(pair.query, pair.key, matrixOfA.value)} to {valueText(pair.query, pair.key, matrixOfB.value)}
              </span>{' '}
              <span class="change-value">{signed(pair.value)}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

const valueText = (query: number, key: number, matrix: typeof difference.value) =>
  (valueIn(matrix, query, key) ?? 0).toFixed(2);

function Token({ tokens, index }: { tokens: readonly string[]; index: number }) {
  return (
    <>
      <bdi>{tokens[index]}</bdi>
      {isRepeated(tokens, index) && <small title="position in the text"> {index}</small>}
    </>
  );
}
