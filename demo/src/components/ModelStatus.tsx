import { phase, progress } from '../state/engine';
import { reading } from '../state/shown';
import { ModelButton } from './ModelDialog';

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** Which model, and what it is doing: arriving (with its bytes), or how long its last reading took. */
export function ModelStatus() {
  const { title, weights } = reading.value.model;
  return (
    <div class="model">
      <span>
        {title}
        {weights !== 'none' && <small> {weights}</small>}
      </span>
      <State />
      <ModelButton />
    </div>
  );
}

function State() {
  const { milliseconds, tokens, engine } = reading.value;
  if (phase.value === 'error') return <span>stopped</span>;
  if (progress.value) {
    const { loaded, total } = progress.value;
    return (
      <>
        <progress aria-label="Model weights" value={loaded} max={total || 1} />
        <span class="bytes">
          {megabytes(loaded)} of {megabytes(total)} MB
        </span>
      </>
    );
  }
  if (phase.value !== 'ready') return <span>opening</span>;
  return (
    <>
      {tokens.length > 0 && <span>{tokens.length} tokens</span>}
      {milliseconds !== null && <span title="one pass through all layers">{milliseconds.toFixed(0)} ms</span>}
      {engine && <span>{engine.threads > 1 ? `${engine.threads} threads` : engine.variant}</span>}
    </>
  );
}
