import { isolated } from '../attention/tokens';
import { failure, phase, retry } from '../state/engine';
import { strangeIds } from '../state/own';
import { text } from '../state/request';
import { reading } from '../state/shown';

/** The line under the text: how to use it, or what went wrong with it. Always there, so that nothing moves. */
export function TextNote() {
  if (phase.value === 'error') {
    return (
      <p id="text-note" class="note note-error" role="alert">
        <strong>
          {reading.value.engine === null ? 'The model could not be loaded.' : 'This could not be computed.'}
        </strong>{' '}
        {failure.value}{' '}
        <button type="button" class="link-button" onClick={retry}>
          Try again
        </button>
      </p>
    );
  }
  return (
    <p id="text-note" class="note">
      {sentence()}
    </p>
  );
}

function sentence(): string {
  const { cut, pass, model } = reading.value;
  if (pass.model === 'long')
    return `${pass.length} tokens made by a rule, without a model. Type, and your text is read again.`;
  if (strangeIds.value) return sentenceOfIds(strangeIds.value);
  if (text.value.trim() === '') return 'No text yet: type some, and every head reads along.';
  if (phase.value !== 'ready' && text.value !== pass.text)
    return 'Your text will be read as soon as the model has arrived.';
  if (!cut) return 'Every head reads along as you type.';
  const total = cut.atLeast ? `more than ${cut.total}` : cut.total;
  return `The first ${cut.kept} of ${total} tokens are read: ${cut.kept === model.maxLength ? 'this model ends there' : 'more would not fit in memory'}.`;
}

function sentenceOfIds({ count, parts }: NonNullable<typeof strangeIds.value>): string {
  const ids = `token ids from 0 to ${count - 1}`;
  if (parts.length === 0) return `Without tokenizer.json the text is ${ids}.`;
  const some = parts.slice(0, 3).map((part) => `“${isolated(part.slice(0, 16))}”`);
  const others = parts.length > 3 ? ` and ${parts.length - 3} more` : '';
  return `Left out: ${some.join(', ')}${others}. The text is ${ids}.`;
}
