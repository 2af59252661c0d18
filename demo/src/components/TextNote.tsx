import { failure, phase, reading, start, text } from '../state';

/** The line under the text: how to use it, or what went wrong with it. Always there, so that nothing moves. */
export function TextNote() {
  if (phase.value === 'error') {
    return (
      <p id="text-note" class="note note-error" role="alert">
        <strong>{reading.value.milliseconds === null ? 'The model could not be loaded.' : 'The model stopped.'}</strong>{' '}
        {failure.value}{' '}
        <button type="button" class="link-button" onClick={start}>
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
  const { cut } = reading.value;
  if (text.value.trim() === '') return 'No text yet: type some, and every head reads along.';
  if (phase.value !== 'ready' && text.value !== reading.value.text)
    return 'Your text will be read as soon as the model has arrived.';
  if (!cut) return 'Every head reads along as you type.';
  const total = cut.atLeast ? `more than ${cut.total}` : cut.total;
  return `The first ${cut.kept} of ${total} tokens are read, so that every head can follow each keystroke. (The model itself ends at ${cut.modelLimit}.)`;
}
