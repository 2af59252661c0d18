import { batch } from '@preact/signals';
import { measureText } from '../attention/search';
import { isolated, isRepeated } from '../attention/tokens';
import { type Detector, detectors } from '../engine/calls/search';
import { lock, pair } from '../state/pairs';
import { found, isAny, order } from '../state/search';
import { head, reading } from '../state/shown';

const names: Record<Detector, string> = {
  pair: 'weight of the pair',
  previous: 'token before',
  next: 'token after',
  same: 'same token',
  separators: 'separators',
  entropy: 'entropy, low first',
};

/** More options than this are no list to choose from. */
const mostOptions = 256;

/** Which head does it: links a pair, or looks at a certain place. */
export function HeadSearch() {
  const by = order.value;
  return (
    <search class="search" aria-label="Find heads" data-testid="search">
      <Token end="from" label="find: from" />
      <Token end="to" label="to" />
      <label class="search-field">
        <span>sort</span>
        <select
          class="select"
          value={by ?? ''}
          onChange={({ currentTarget: { value } }) => sortBy(value === '' ? null : (value as Detector))}
        >
          <option value="">layer order</option>
          {detectors.map((name) => (
            <option key={name} value={name}>
              {names[name]}
            </option>
          ))}
        </select>
      </label>
      {by && found.value && (
        <span
          class="baseline"
          title="What a head has that spreads evenly over the keys it may attend to"
          data-testid="baseline"
          data-value={found.value.even[by]}
        >
          baseline {measureText(found.value.even[by], by)}
        </span>
      )}
    </search>
  );
}

function sortBy(by: Detector | null): void {
  batch(() => {
    order.value = by;
    // Else every head that is opened would have a strongest pair of its own, and the heads another order.
    if (by === 'pair' && pair.value) lock(pair.value);
  });
}

/** One end of the pair in question: choosing a token locks it for every view. */
function Token({ end, label }: { end: 'from' | 'to'; label: string }) {
  const { tokens } = reading.value;
  const [first, last] = head.value.range;
  const current = pair.value;
  const token = current && (end === 'from' ? current.query : current.key);
  const choose = (given: number | null) =>
    batch(() => {
      isAny.value = { ...isAny.peek(), [end]: given === null };
      if (given !== null && current)
        lock(end === 'from' ? { query: given, key: current.key } : { query: current.query, key: given });
      sortBy('pair');
    });
  const isList = last - first <= mostOptions;
  const value = isAny.value[end] || token === null ? '' : String(token);
  const name = end === 'from' ? 'From token' : 'To token';
  return (
    <span class="search-field">
      <span aria-hidden="true">{label}</span>
      {isList ? (
        <select
          class="select search-token"
          aria-label={name}
          value={value}
          disabled={!current}
          onChange={({ currentTarget }) => choose(currentTarget.value === '' ? null : Number(currentTarget.value))}
        >
          <option value="">any</option>
          {Array.from({ length: last - first }, (_, i) => first + i).map((index) => (
            <option key={index} value={index}>
              {isolated(tokens[index])}
              {isRepeated(tokens, index) && ` (${index})`}
            </option>
          ))}
        </select>
      ) : (
        <input
          class="count"
          aria-label={name}
          type="number"
          inputMode="numeric"
          placeholder="any"
          title={token === null ? undefined : `${isolated(tokens[token])}, by its position; empty: any`}
          min={first}
          max={last - 1}
          value={value}
          onChange={({ currentTarget: { value: text, valueAsNumber: given } }) => {
            if (text === '') choose(null);
            else if (Number.isInteger(given) && given >= first && given < last) choose(given);
          }}
        />
      )}
    </span>
  );
}
