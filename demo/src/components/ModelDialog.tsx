import { effect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import sizes from '../generated/weights.json';
import { chosen, opening, own, rounded, takeFiles } from '../state/own';
import { length, model } from '../state/request';
import { DropVeil } from './DropVeil';

const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const lengths = [512, 1024, 2048, 4096, 8192, 16_384];

/** Which model reads, and the door for one's own. */
export function ModelButton() {
  const dialog = useRef<HTMLDialogElement>(null);
  const show = () => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
  };
  // Dropped files are spoken of here; what was opened speaks for itself.
  useLayoutEffect(() => {
    let wasReading = false;
    return effect(() => {
      const state = opening.value?.state;
      if (state) show();
      else if (wasReading) dialog.current?.close();
      wasReading = state === 'reading';
    });
  }, []);
  useEffect(() => {
    const forget = () => {
      if (opening.peek()?.state === 'refused') opening.value = null;
    };
    dialog.current?.addEventListener('close', forget);
    return () => dialog.current?.removeEventListener('close', forget);
  }, []);
  return (
    <>
      <button type="button" class="button model-button" aria-haspopup="dialog" onClick={show}>
        Model
      </button>
      <dialog ref={dialog} class="dialog model-dialog" aria-labelledby="model-title">
        <form method="dialog">
          <h2 id="model-title">Model</h2>
          <Choice />
          <OwnModel />
          <div class="buttons">
            <button type="submit" class="button">
              Close
            </button>
          </div>
        </form>
      </dialog>
      <DropVeil />
    </>
  );
}

function Choice() {
  const { int8, float16 } = sizes;
  const loaded = own.value?.info;
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">What reads the text</legend>
      <Radio value="int8" title="MiniLM, 8 bits">
        {megabytes(int8.bytes)} MB; differs from float16 by at most {int8.difference} in any cell
      </Radio>
      <Radio value="float16" title="MiniLM, float16">
        {megabytes(float16.bytes)} MB, fetched when first chosen
      </Radio>
      {loaded && (
        <Radio value="own" title={loaded.title}>
          your own: {loaded.type}, {loaded.layers} layers of {loaded.heads} heads, {(loaded.bytes / 1e6).toFixed(1)} MB
        </Radio>
      )}
      <div class="choice-row">
        <Radio value="long" title="A long sequence">
          queries and keys made by a rule, without a model
        </Radio>
        <select
          class="select"
          aria-label="Tokens of the long sequence"
          value={length.value}
          onChange={(event) => {
            length.value = Number(event.currentTarget.value);
          }}
        >
          {(lengths.includes(length.value) ? lengths : [length.value, ...lengths]).map((count) => (
            <option key={count} value={count}>
              {count.toLocaleString('en')} tokens
            </option>
          ))}
        </select>
      </div>
    </fieldset>
  );
}

interface RadioProps {
  value: typeof model.value;
  title: string;
  children: preact.ComponentChildren;
}

function Radio({ value, title, children }: RadioProps) {
  return (
    <label class="check">
      <input
        type="radio"
        name="model"
        value={value}
        checked={model.value === value}
        onChange={() => {
          model.value = value;
        }}
      />
      <span>
        {title}
        <small>{children}</small>
      </span>
    </label>
  );
}

function OwnModel() {
  const { config, weights, tokenizer } = chosen.value;
  const state = opening.value;
  const names = [config, weights, tokenizer].flatMap((file) => (file ? [file.name] : []));
  return (
    <section class="own" aria-labelledby="own-title">
      <h3 id="own-title">Your own</h3>
      <p>
        Choose or drop <code>model.safetensors</code>, <code>config.json</code> and, for words instead of token ids,{' '}
        <code>tokenizer.json</code> of a BERT, GPT-2 or Llama family model. It works locally, nothing is uploaded.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={rounded.value}
          onChange={(event) => {
            rounded.value = event.currentTarget.checked;
          }}
        />
        round its weights to 8 bits
      </label>
      <input
        class="file"
        type="file"
        multiple
        accept=".safetensors,.json"
        aria-label="Files of your own model"
        data-testid="own-files"
        disabled={state?.state === 'reading'}
        onChange={({ currentTarget: input }) => {
          takeFiles([...(input.files ?? [])]);
          // So that the same files can be chosen again.
          input.value = '';
        }}
      />
      <p class="hint" role="status" data-testid="own-status">
        {state && state.state !== 'refused' && `${names.length > 1 ? `${names.join(', ')}: ` : ''}${state.message}`}
      </p>
      {state?.state === 'refused' && (
        <p class="note-error" role="alert" data-testid="own-refused">
          <strong>Model refused.</strong> {state.message}
        </p>
      )}
    </section>
  );
}
