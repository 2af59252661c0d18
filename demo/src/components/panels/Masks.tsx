import { useEffect } from 'preact/hooks';
import { isolated } from '../../attention/tokens';
import { type Block, isMasked, type MaskSpec, noMask } from '../../engine/mask';
import { brush } from '../../state/matrix';
import { lockedPair } from '../../state/pairs';
import { mask } from '../../state/request';
import { head, reading } from '../../state/shown';
import { BlockForm } from '../BlockForm';
import { MaskPicture } from '../MaskPicture';

const change = (part: Partial<MaskSpec>) => {
  mask.value = { ...mask.peek(), ...part };
};

const hide = (block: Block) => change({ blocks: [...mask.peek().blocks, block] });

/** Who may attend to whom: the whole model runs again under it. */
export function Masks() {
  const { causal, window, padding, globals, blocks } = mask.value;
  const { tokens, isCausal } = reading.value;
  const token = lockedPair.value?.query;
  // A brush that nobody sees would surprise whoever drags.
  useEffect(
    () => () => {
      brush.value = null;
    },
    [],
  );

  return (
    <>
      <div class="panel-head">
        <h2>Masks</h2>
        <button
          type="button"
          class="button push"
          disabled={!isMasked(mask.value) && globals.length === 0}
          onClick={() => {
            mask.value = noMask;
          }}
        >
          Clear all
        </button>
      </div>
      <p class="hint">Hide pairs of tokens, and the model reads the text again without them, in every layer.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={causal || isCausal}
          disabled={isCausal}
          onChange={(event) => change({ causal: event.currentTarget.checked })}
        />
        causal: no token sees later ones
        {isCausal && <em>this model’s own</em>}
      </label>
      <div class="field-row">
        <label class="check">
          <input
            type="checkbox"
            checked={window !== null}
            onChange={(event) => change({ window: event.currentTarget.checked ? 2 : null })}
          />
          sliding window, tokens either side
        </label>
        <Count
          name="Tokens either side"
          value={window ?? 2}
          most={512}
          disabled={window === null}
          onChange={(value) => change({ window: value })}
        />
      </div>
      <div class="field-row">
        <label for="mask-padding">padding: last tokens seen by none</label>
        <Count
          id="mask-padding"
          name="Padding"
          value={padding}
          most={Math.max(0, tokens.length - 1)}
          onChange={(value) => change({ padding: value })}
        />
      </div>
      <div class="field-row">
        <span>global tokens, past any window</span>
        <button
          type="button"
          class="button"
          disabled={token === undefined || globals.includes(token)}
          onClick={() => token !== undefined && change({ globals: [...globals, token] })}
        >
          Add {token === undefined ? 'the locked token' : `“${isolated(tokens[token])}”`}
        </button>
      </div>
      <Chips
        items={globals.map((index) => ({
          name: `${isolated(tokens[index] ?? 'token')} ${index}`,
          remove: () => change({ globals: globals.filter((one) => one !== index) }),
        }))}
      />
      <h3>Blocks by hand</h3>
      <BlockForm onAdd={hide} />
      <Chips
        items={blocks.map((block, i) => ({
          name: `rows ${block.rows[0]}–${block.rows[1] - 1}, columns ${block.columns[0]}–${block.columns[1] - 1}`,
          remove: () => change({ blocks: blocks.filter((_, other) => other !== i) }),
        }))}
      />
      <Outcome />
      <MaskPicture head={head.value} />
    </>
  );
}

/** What the mask does to work and time. */
function Outcome() {
  const { density, milliseconds, tokens } = reading.value;
  return (
    <dl class="figures" data-testid="mask-outcome">
      <div>
        <dt>of {(tokens.length ** 2).toLocaleString('en')} pairs attend</dt>
        <dd data-value={density}>{(100 * density).toFixed(density < 0.1 ? 1 : 0)} %</dd>
      </div>
      {milliseconds !== null && (
        <div>
          <dt>through the model</dt>
          <dd>{milliseconds.toFixed(1)} ms</dd>
        </div>
      )}
    </dl>
  );
}

interface CountProps {
  id?: string;
  name: string;
  value: number;
  most: number;
  disabled?: boolean;
  onChange(value: number): void;
}

function Count({ id, name, value, most, disabled = false, onChange }: CountProps) {
  return (
    <input
      id={id}
      class="count"
      type="number"
      inputMode="numeric"
      aria-label={id ? undefined : name}
      min={0}
      max={most}
      value={value}
      disabled={disabled}
      onInput={({ currentTarget: { valueAsNumber } }) => {
        if (Number.isInteger(valueAsNumber) && valueAsNumber >= 0) onChange(Math.min(most, valueAsNumber));
      }}
    />
  );
}

function Chips({ items }: { items: { name: string; remove(): void }[] }) {
  if (items.length === 0) return null;
  return (
    <ul class="chips">
      {items.map(({ name, remove }) => (
        <li key={name}>
          <button type="button" class="chip" aria-label={`Remove ${name}`} onClick={remove}>
            {name} <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
