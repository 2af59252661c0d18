interface Props {
  from: number;
  size: number;
  length: number;
  onChange(from: number): void;
}

/** Leads through a list too long to show; nothing of one that is not. */
export function Pages({ from, size, length, onChange }: Props) {
  if (length <= size) return null;
  return (
    <span class="pager">
      <button
        type="button"
        class="button"
        aria-label="Earlier"
        disabled={from === 0}
        onClick={() => onChange(from - size)}
      >
        ←
      </button>
      {from + 1}–{Math.min(length, from + size)} of {length}
      <button
        type="button"
        class="button"
        aria-label="Later"
        disabled={from + size >= length}
        onClick={() => onChange(from + size)}
      >
        →
      </button>
    </span>
  );
}
