import type { Lesson } from './lessons';

/** One “try this”. */
export function TryButton({ lesson, index, isOn }: { lesson: Lesson; index: number; isOn?: boolean }) {
  const { label, apply } = lesson.tries[index];
  return (
    <button
      type="button"
      class="button try"
      data-testid={`try-${lesson.id}-${index + 1}`}
      aria-pressed={isOn}
      onClick={apply}
    >
      {label}
    </button>
  );
}
