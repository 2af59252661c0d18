import { useEffect } from 'preact/hooks';
import type { RaceFiles } from '../race/protocol';
import { lookForRace, race, raceFiles, startRace } from '../state/race';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The same attention by onnxruntime-web, in the same tab, where it was served along with the page. */
export function Race() {
  useEffect(() => {
    lookForRace();
  }, []);
  const files = raceFiles.value;
  if (!files)
    return (
      <p class="hint" data-testid="race-absent">
        To race onnxruntime-web here, serve it along: <code>npm run demo -- --with-onnxruntime</code>
      </p>
    );
  const { heads, length, size } = files.shape;
  const { state } = race.value;
  return (
    <div class="race">
      <p class="hint">
        Attention of {heads} heads, {length} tokens, {size} dimensions by onnxruntime-web {files.version} and by this
        page’s engine: one thread each, in turns, medians; the numbers must agree.
      </p>
      <div class="tries">
        <button type="button" class="button" data-testid="race" disabled={state === 'running'} onClick={startRace}>
          {state === 'running' ? 'Racing…' : state === 'none' ? 'Race' : 'Race again'}
        </button>
      </div>
      <div role="status">
        <Outcome files={files} />
      </div>
    </div>
  );
}

function Outcome({ files: { bytes } }: { files: RaceFiles }) {
  const outcome = race.value;
  if (outcome.state === 'failed')
    return (
      <p class="note-error" data-testid="race-failed">
        onnxruntime-web did not run here: {outcome.message}
      </p>
    );
  if (outcome.state !== 'done') return null;
  const { ours, theirs, operator, speeds } = outcome.result;
  return (
    <table class="race-table" data-testid="race-result">
      <caption class="visually-hidden">Speed, time and size of both</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">speed</th>
          <th scope="col">ms</th>
          <th scope="col">to fetch</th>
        </tr>
      </thead>
      <tbody>
        <Row name="attention-wasm" note={outcome.variant} speed={speeds.ours} time={ours} bytes={bytes.ours} />
        <Row name="onnxruntime-web" note={operator} speed={speeds.theirs} time={theirs} bytes={bytes.theirs} />
      </tbody>
    </table>
  );
}

interface RowProps {
  name: string;
  note: string;
  speed: number;
  time: number;
  bytes: number;
}

function Row({ name, note, speed, time, bytes }: RowProps) {
  return (
    <tr>
      <th scope="row">
        {name} <small>{note}</small>
      </th>
      <td data-value={speed}>{speed.toFixed(2)}×</td>
      <td data-value={time}>{time.toFixed(1)}</td>
      <td data-value={bytes}>{megabytes(bytes)}</td>
    </tr>
  );
}
