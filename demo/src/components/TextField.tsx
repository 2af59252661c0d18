import { useLayoutEffect, useRef } from 'preact/hooks';
import { text, type } from '../state';
import { ModelStatus } from './ModelStatus';
import { TextNote } from './TextNote';

export function TextField() {
  const field = useRef<HTMLTextAreaElement>(null);
  const value = text.value;

  // Grows with its text; the style sheet sets the limit.
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [value]);

  return (
    <section class="text" aria-label="Text and model">
      <textarea
        ref={field}
        rows={1}
        aria-label="Text"
        aria-describedby="text-note"
        placeholder="Type a sentence…"
        spellcheck={false}
        autocomplete="off"
        value={value}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <div class="text-foot">
        <TextNote />
        <ModelStatus />
      </div>
    </section>
  );
}
