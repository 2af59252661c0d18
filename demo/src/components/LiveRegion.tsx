import { rankOf, rowOf, short } from '../attention/pairs';
import { lockedPair, matrix, view } from '../state';

/** Speaks of the locked pair: "it → animal, 0.69, rank 1". */
export function LiveRegion() {
  const { tokens } = view.value;
  const pair = lockedPair.value;
  const row = pair && rowOf(matrix.value, tokens.length, pair.query);
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
