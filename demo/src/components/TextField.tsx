import { isIds } from '../state/own';
import { model, text } from '../state/request';
import { ModelStatus } from './ModelStatus';
import { TextNote } from './TextNote';
import { Writer } from './Writer';

export function TextField() {
  return (
    <section class="text" aria-label="Text and model">
      <div class="field" data-text={text.value}>
        <textarea
          rows={1}
          aria-label="Text"
          aria-describedby="text-note"
          placeholder={isIds.value ? 'Token ids, separated by spaces or commas' : 'Type a sentence…'}
          spellcheck={false}
          autocomplete="off"
          dir="auto"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            // The long sequence has no text; whoever types wants to see it read.
            if (model.value === 'long') model.value = 'int8';
          }}
        />
      </div>
      <div class="text-foot">
        <TextNote />
        <ModelStatus />
      </div>
      <Writer />
    </section>
  );
}
