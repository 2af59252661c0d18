import { measureText } from '../attention/search';
import { habit } from '../state/search';

/** What the open head does over the whole text, beside what an even spread would give. */
export function Habit() {
  const shown = habit.value;
  return (
    <p class="habit" data-testid="habit" data-detector={shown?.by} data-value={shown?.value} data-even={shown?.even}>
      {shown
        ? `This head ${shown.what}: ${measureText(shown.value, shown.by)} (even: ${measureText(shown.even, shown.by)})`
        : ''}
    </p>
  );
}
