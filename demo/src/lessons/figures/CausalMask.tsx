import { useMemo } from 'preact/hooks';
import { plain } from '../../attention/pairs';
import { Heatmap } from '../../components/Heatmap';
import type { HeadData } from '../../engine/protocol';
import { lens, pass, place } from '../../state/request';
import { head, isEmpty, reading } from '../../state/shown';
import { laterShare, mostTokens } from '../shares';
import { useAnswer } from '../useAnswer';

/** The open head as it is on screen, and as it would be with the mask put on or taken off. */
export function CausalMask() {
  const { tokens, isCausal } = reading.value;
  const isFit = !isEmpty.value && !isCausal && tokens.length <= mostTokens;
  const other = { ...pass.value, mask: { ...pass.value.mask, causal: !pass.value.mask.causal } };
  const answer = useAnswer('aside', isFit ? [{ pass: other, lens: lens.value, place: place.value }] : null)?.[0].head;
  if (isCausal) return <p class="hint">This model is causal by itself: it has no other side to show.</p>;
  if (!isFit) return <p class="hint">Both sides appear here, of texts of up to {mostTokens} tokens.</p>;
  const here = head.value;
  const there = answer && isOtherSide(answer, here) ? answer : null;
  const sides = here.mask.causal ? [there, here] : [here, there];
  return (
    <div class="sides-pair" data-testid="lesson-numbers">
      <Side title="both ways" of={sides[0]} />
      <Side title="causal" of={sides[1]} />
    </div>
  );
}

/** Until the answer to a new question comes, there is that to the one before. */
const isOtherSide = (one: HeadData, other: HeadData) =>
  one.mask.causal !== other.mask.causal && one.layer === other.layer && one.head === other.head;

function Side({ title, of }: { title: string; of: HeadData | null }) {
  const share = useMemo(() => of && laterShare(of), [of]);
  return (
    <figure>
      {of ? (
        <Heatmap cells={of.root.cells} rows={of.root.size[0]} columns={of.root.size[1]} />
      ) : (
        <div class="heatmap" />
      )}
      <figcaption>
        {title}
        <small data-value={share}>{share === null ? '…' : `${plain(share)} to later tokens`}</small>
      </figcaption>
    </figure>
  );
}
