import { phase, progress, reading } from '../state';

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** Which model, and what it is doing: arriving (with its bytes), or how long its last reading took. */
export function ModelStatus() {
  return (
    <div class="model">
      <span>all-MiniLM-L6-v2</span>
      <State />
    </div>
  );
}

function State() {
  const { loaded, total } = progress.value;
  const { milliseconds, tokens, variant } = reading.value;
  switch (phase.value) {
    case 'example':
      return <span>opening</span>;
    case 'error':
      return <span>stopped</span>;
    case 'loading':
      return (
        <>
          <progress aria-label="Model weights" value={loaded} max={total || 1} />
          <span class="bytes">
            {loaded < total || total === 0 ? `${megabytes(loaded)} of ${megabytes(total)} MB` : 'unpacking weights'}
          </span>
        </>
      );
    case 'ready':
      return (
        <>
          {tokens.length > 0 && <span>{tokens.length} tokens</span>}
          {milliseconds !== null && <span title="one pass through all layers">{milliseconds.toFixed(0)} ms</span>}
          {variant && <span>{variant}</span>}
        </>
      );
  }
}
