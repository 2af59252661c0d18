import { signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { comparison } from '../state/compare';
import { addressOf } from '../state/share';

const withText = signal(false);

/** The page's state as a link; the text goes along only if that is chosen. */
export function ShareButton() {
  const dialog = useRef<HTMLDialogElement>(null);
  const address = useSignal('');
  const copied = useSignal<'' | 'Copied.' | 'Copying was refused: select the address and copy it.'>('');
  const update = () => {
    address.value = addressOf(withText.value);
    copied.value = '';
  };
  const copy = async () => {
    // So that a reload opens what was shared.
    history.replaceState(null, '', address.value);
    try {
      await navigator.clipboard.writeText(address.value);
      copied.value = 'Copied.';
    } catch {
      copied.value = 'Copying was refused: select the address and copy it.';
    }
  };
  return (
    <>
      <button
        type="button"
        class="button"
        aria-haspopup="dialog"
        onClick={() => {
          update();
          dialog.current?.showModal();
        }}
      >
        Share
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby="share-title">
        <form method="dialog">
          <h2 id="share-title">Share this view</h2>
          <p>
            The address holds the head, the mask and everything else that is set
            {comparison.value && ', but for the pinned A'}. Nothing is sent anywhere.
          </p>
          <label class="check">
            <input
              type="checkbox"
              checked={withText.value}
              onChange={(event) => {
                withText.value = event.currentTarget.checked;
                update();
              }}
            />
            with my text
          </label>
          <input
            class="address"
            readOnly
            aria-label="Address"
            data-testid="address"
            value={address.value}
            onFocus={(event) => event.currentTarget.select()}
          />
          <p class="hint" role="status">
            {copied.value}
          </p>
          <div class="buttons">
            <button type="button" class="button" onClick={copy}>
              Copy
            </button>
            <button type="submit" class="button">
              Close
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
