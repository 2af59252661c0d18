import { short } from '../attention/pairs';
import { measureText, type Habit as Shown } from '../attention/search';
import { habit } from '../state/search';

/** What the open head does over the whole text, beside what an even spread would give. */
export function Habit() {
  const shown = habit.value;
  return (
    <p class="habit" data-testid="habit" data-detector={shown?.by} data-value={shown?.value} data-even={shown?.even}>
      {shown && `It ${shown.what}: ${measureText(shown.value, shown.by)}, even ${evenText(shown)}`}
    </p>
  );
}

/** Without its unit, which has just been told. */
const evenText = ({ even, by }: Shown) => (by === 'entropy' ? even.toFixed(2) : short(even));
