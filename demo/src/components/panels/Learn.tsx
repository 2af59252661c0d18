import type { FunctionComponent } from 'preact';
import { CausalMask } from '../../lessons/figures/CausalMask';
import { Effect } from '../../lessons/figures/Effect';
import { Habits } from '../../lessons/figures/Habits';
import { Positions } from '../../lessons/figures/Positions';
import { Pronoun } from '../../lessons/figures/Pronoun';
import { QueryKeyValue } from '../../lessons/figures/QueryKeyValue';
import { type Lesson, lessons } from '../../lessons/lessons';
import { TryButton } from '../../lessons/TryButton';
import { type LessonId, lesson as open } from '../../state/lessons';
import { LengthPlot } from '../LengthPlot';

/** What stands beside the words, with numbers of the text on screen. */
const figures: Record<LessonId, FunctionComponent<{ lesson: Lesson }>> = {
  pronoun: Pronoun,
  'query-key-value': QueryKeyValue,
  'many-heads': Habits,
  'causal-mask': CausalMask,
  positions: Positions,
  cost: LengthPlot,
  explanation: Effect,
};

/** Attention from the beginning, one lesson open at a time, each beside the live thing it speaks of. */
export function Learn() {
  return (
    <div class="lessons">
      {lessons.map((one, i) => (
        <details
          key={one.id}
          class="lesson"
          name="lessons"
          data-testid={`lesson-${one.id}`}
          open={open.value === one.id}
          onToggle={({ currentTarget: { open: isOpen } }) => {
            if (isOpen && open.peek() !== one.id) show(one.id);
            // Else another one that was opened has taken its place.
            if (!isOpen && open.peek() === one.id) open.value = '';
          }}
        >
          <summary id={`lesson-${one.id}`}>
            <span class="lesson-number">{i + 1}</span>
            <h2>{one.title}</h2>
          </summary>
          {open.value === one.id && <Content lesson={one} next={lessons[i + 1]} />}
        </details>
      ))}
    </div>
  );
}

function show(id: LessonId): void {
  open.value = id;
  // Once its content is there.
  requestAnimationFrame(() =>
    document.getElementById(`lesson-${id}`)?.parentElement?.scrollIntoView({ block: 'nearest' }),
  );
}

function Content({ lesson, next }: { lesson: Lesson; next: Lesson | undefined }) {
  const Figure = figures[lesson.id];
  const plainTries = lesson.tries.map((one, i) => (one.measure ? -1 : i)).filter((i) => i >= 0);
  return (
    <div class="lesson-content">
      <p>{lesson.body}</p>
      <Figure lesson={lesson} />
      {plainTries.length > 0 && (
        <>
          <h3>Try this</h3>
          <div class="tries">
            {plainTries.map((i) => (
              <TryButton key={i} lesson={lesson} index={i} />
            ))}
          </div>
        </>
      )}
      {next && (
        <button
          type="button"
          class="link-button next"
          onClick={() => {
            show(next.id);
            document.getElementById(`lesson-${next.id}`)?.focus();
          }}
        >
          Next: {next.title}
        </button>
      )}
    </div>
  );
}
