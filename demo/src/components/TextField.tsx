import { edit, text } from '../state';
import { ModelStatus } from './ModelStatus';
import { TextNote } from './TextNote';

export function TextField() {
  return (
    <section class="text" aria-label="Text and model">
      <div class="field" data-text={text.value}>
        <textarea
          rows={1}
          aria-label="Text"
          aria-describedby="text-note"
          placeholder="Type a sentence…"
          spellcheck={false}
          autocomplete="off"
          value={text.value}
          onInput={(event) => edit(event.currentTarget.value)}
        />
      </div>
      <div class="text-foot">
        <TextNote />
        <ModelStatus />
      </div>
    </section>
  );
}
