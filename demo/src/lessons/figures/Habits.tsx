import { measureText } from '../../attention/search';
import { place } from '../../state/request';
import { reading, head as shownHead } from '../../state/shown';
import type { Lesson } from '../lessons';
import { mostTokens } from '../shares';
import { TryButton } from '../TryButton';
import { useAnswer } from '../useAnswer';

const anyPair = { from: null, to: null };

/** Heads with a habit, and how much of it they have on this text. */
export function Habits({ lesson }: { lesson: Lesson }) {
  const { pass, tokens } = reading.value;
  const isShort = tokens.length > 0 && tokens.length <= mostTokens;
  const found = useAnswer('search', isShort ? anyPair : null, [pass, shownHead.value.lens]);
  return (
    <>
      <h3>Try this</h3>
      <ul class="habits" data-testid="lesson-numbers">
        {lesson.tries.map((one, i) => {
          if (!one.measure) return null;
          const { layer, head, by } = one.measure;
          const value = found?.values[by][layer * found.heads + head];
          const isOpen = place.value.layer === layer && place.value.head === head;
          return (
            <li key={one.label}>
              <TryButton lesson={lesson} index={i} isOn={isOpen} />
              <small data-value={value}>
                {found && value !== undefined
                  ? `layer ${layer}, head ${head}: ${measureText(value, by)} (even: ${measureText(found.even[by], by)})`
                  : `layer ${layer}, head ${head}`}
              </small>
            </li>
          );
        })}
      </ul>
    </>
  );
}
