import { canWrite, ending, sampling, stopWriting, write, writing } from '../state/own';

type Sampling = typeof sampling.value;

/** Lets a model that writes go on with the text; every head reads along. */
export function Writer() {
  if (!canWrite.value) return null;
  const { count, temperature, topK, seed } = sampling.value;
  const isGreedy = temperature === 0;
  return (
    <form
      class="writer"
      aria-label="Generate"
      onSubmit={(event) => {
        event.preventDefault();
        if (writing.peek()) stopWriting();
        else write();
      }}
    >
      <button type="submit" class="button">
        {writing.value ? 'Stop' : 'Generate'}
      </button>
      <Field name="count" label="tokens" min={1} max={4096} value={count} />
      <Field name="temperature" label="temperature" min={0} max={5} step={0.1} value={temperature} />
      <Field name="topK" label="top k" min={0} max={1_000_000} value={topK} disabled={isGreedy} />
      <Field name="seed" label="seed" min={0} max={1_000_000} value={seed} disabled={isGreedy} />
      <span role="status" data-testid="written">
        {writing.value ? 'writing' : ending.value || (isGreedy ? 'always the likeliest token' : '')}
      </span>
    </form>
  );
}

interface FieldProps {
  name: keyof Sampling;
  label: string;
  min: number;
  max: number;
  step?: number;
  value: number;
  disabled?: boolean;
}

function Field({ name, label, min, max, step = 1, value, disabled = false }: FieldProps) {
  return (
    <label class="writer-field">
      <span>{label}</span>
      <input
        class="count"
        type="number"
        inputMode={step === 1 ? 'numeric' : 'decimal'}
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        onInput={({ currentTarget: { valueAsNumber: given } }) => {
          if (given >= min && given <= max && (step !== 1 || Number.isInteger(given)))
            sampling.value = { ...sampling.peek(), [name]: given };
        }}
      />
    </label>
  );
}
