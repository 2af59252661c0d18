import { rankOf, short } from '../attention/pairs';
import { rowOf } from '../attention/weights';
import { lockedPair } from '../state/pairs';
import { head, reading } from '../state/shown';

/** Speaks of the locked pair: "it → animal, 0.69, rank 1". */
export function LiveRegion() {
  const { tokens } = reading.value;
  const pair = lockedPair.value;
  const row = pair && rowOf(head.value, pair.query);
  return (
    <p
      role="status"
      class="visually-hidden"
      data-testid="locked-pair"
      data-value={pair && row ? row[pair.key] : undefined}
    >
      {pair && row
        ? `${tokens[pair.query]} → ${tokens[pair.key]}, ${short(row[pair.key])}, rank ${rankOf(row, pair.key)}`
        : ''}
    </p>
  );
}
