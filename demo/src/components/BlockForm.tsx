import { useSignal } from '@preact/signals';
import type { Block } from '../engine/mask';
import { asTable, brush } from '../state/matrix';
import { lockedPair } from '../state/pairs';
import { reading } from '../state/shown';

/** A block of pairs: painted over the matrix, the locked pair alone, or given in numbers. */
export function BlockForm({ onAdd }: { onAdd(block: Block): void }) {
  const pair = lockedPair.value;
  const last = Math.max(0, reading.value.tokens.length - 1);
  const bounds = useSignal({ row0: 0, row1: 0, column0: 0, column1: 0 });
  const { row0, row1, column0, column1 } = bounds.value;
  const isPainting = brush.value !== null;
  const input = (name: keyof typeof bounds.value, label: string) => (
    <input
      class="count"
      type="number"
      inputMode="numeric"
      aria-label={label}
      min={0}
      max={last}
      value={bounds.value[name]}
      onInput={({ currentTarget: { valueAsNumber } }) => {
        if (Number.isInteger(valueAsNumber) && valueAsNumber >= 0)
          bounds.value = { ...bounds.value, [name]: Math.min(last, valueAsNumber) };
      }}
    />
  );
  const range = (a: number, b: number) => [Math.min(a, b), Math.max(a, b) + 1] as const;
  return (
    <>
      <div class="buttons">
        <button
          type="button"
          class="button"
          aria-pressed={isPainting}
          onClick={() => {
            brush.value = isPainting ? null : onAdd;
            if (!isPainting) asTable.value = false;
          }}
        >
          {isPainting ? 'Painting: drag over the matrix' : 'Paint'}
        </button>
        <button
          type="button"
          class="button"
          disabled={!pair}
          onClick={() => pair && onAdd({ rows: range(pair.query, pair.query), columns: range(pair.key, pair.key) })}
        >
          Hide the locked pair
        </button>
      </div>
      <form
        class="block-form"
        onSubmit={(event) => {
          event.preventDefault();
          onAdd({ rows: range(row0, row1), columns: range(column0, column1) });
        }}
      >
        <span>rows</span> {input('row0', 'First row')}–{input('row1', 'Last row')}
        <span>columns</span> {input('column0', 'First column')}–{input('column1', 'Last column')}
        <button type="submit" class="button">
          Hide
        </button>
      </form>
    </>
  );
}
