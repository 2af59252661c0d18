import { useMemo } from 'preact/hooks';
import { plain } from '../../attention/pairs';
import { head, reading } from '../../state/shown';
import { mostTokens, separatorShares } from '../shares';

/** How much of the open head goes to the special tokens, by weight and by what is handed over. */
export function Effect() {
  const { tokens } = reading.value;
  const shown = head.value;
  const shares = useMemo(
    () => (tokens.length <= mostTokens && shown.size === tokens.length ? separatorShares(shown, tokens) : null),
    [shown, tokens],
  );
  if (!shares) return <p class="hint">Both shares appear here, of a model’s heads and up to {mostTokens} tokens.</p>;
  return (
    <dl class="lesson-figures" data-testid="lesson-numbers">
      <div>
        <dt>
          to [CLS] and [SEP] <small>of the weights α</small>
        </dt>
        <dd data-value={shares.weight}>{plain(shares.weight)}</dd>
      </div>
      <div>
        <dt>
          to [CLS] and [SEP] <small>of ‖α·v‖</small>
        </dt>
        <dd data-value={shares.effect}>{plain(shares.effect)}</dd>
      </div>
    </dl>
  );
}
