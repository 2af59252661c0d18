import { useEffect, useState } from 'preact/hooks';
import sizes from '../../generated/weights.json';
import { pageMemory } from '../../memory';
import { model } from '../../state/request';
import { reading } from '../../state/shown';
import { LengthPlot } from '../LengthPlot';
import { Race } from '../Race';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;

/** What reading costs here: time, memory, bytes of weights, and how time grows with length. */
export function Speed() {
  return (
    <>
      <div class="panel-head">
        <h2>This reading</h2>
      </div>
      <Figures />
      <LayerTimes />
      <h2 class="speed-title">Weights</h2>
      <Weights />
      <h2 class="speed-title">Time against length</h2>
      <LengthPlot />
      <h2 class="speed-title">Race</h2>
      <Race />
    </>
  );
}

function Figures() {
  const { engine, milliseconds, tokens, model: read } = reading.value;
  const memory = usePageMemory();
  if (!engine) return <p class="hint">The numbers come with the model’s own first reading.</p>;
  return (
    <dl class="speed-figures" data-testid="speed-figures">
      <Figure name="engine">
        {engine.variant}, {engine.threads} {engine.threads === 1 ? 'thread' : 'threads'}
      </Figure>
      <Figure name="tokens" value={tokens.length}>
        {tokens.length.toLocaleString('en')}
      </Figure>
      {milliseconds !== null && (
        <Figure name="one pass" value={milliseconds}>
          {milliseconds.toFixed(1)} ms
        </Figure>
      )}
      <Figure name="engine’s memory" value={engine.memoryBytes}>
        {megabytes(engine.memoryBytes)}
      </Figure>
      {read.bytes > 0 && (
        <Figure name="the model’s weights" value={read.bytes}>
          {megabytes(read.bytes)}
        </Figure>
      )}
      {memory !== null && (
        <Figure name="whole page’s memory" value={memory}>
          {megabytes(memory)}
        </Figure>
      )}
    </dl>
  );
}

function Figure({ name, value, children }: { name: string; value?: number; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-value={value}>{children}</dd>
    </div>
  );
}

/** Null until the browser has counted, and where it does not. */
function usePageMemory(): number | null {
  const [bytes, setBytes] = useState<number | null>(null);
  useEffect(() => {
    pageMemory().then(setBytes);
  }, []);
  return bytes;
}

/** Bars beside their numbers. */
function LayerTimes() {
  const { layerMilliseconds } = reading.value;
  if (layerMilliseconds.length === 0) return null;
  const longest = Math.max(...layerMilliseconds);
  return (
    <table class="layer-times" data-testid="layer-times">
      <caption class="visually-hidden">Milliseconds of each layer</caption>
      <tbody>
        {layerMilliseconds.map((time, layer) => (
          <tr key={layer}>
            <th scope="row">layer {layer}</th>
            <td data-value={time}>
              <span class="time-bar" style={{ '--share': longest > 0 ? time / longest : 0 }} aria-hidden="true" />
              <span>{time.toFixed(time < 10 ? 2 : 1)} ms</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Weights() {
  const { int8, float16 } = sizes;
  return (
    <fieldset class="choice" data-testid="weights">
      <legend class="visually-hidden">Weights of MiniLM</legend>
      <Choice value="int8" title="8 bits">
        {megabytes(int8.bytes)}
      </Choice>
      <Choice value="float16" title="float16">
        {megabytes(float16.bytes)}, fetched when first chosen
      </Choice>
      <p class="hint">
        With 8 bits the page shows that model’s exact attention. Over ten sentences no weight was further than{' '}
        {int8.difference} from float16’s; the sentence embeddings had a cosine of at least {int8.cosine}.
      </p>
    </fieldset>
  );
}

function Choice({
  value,
  title,
  children,
}: {
  value: 'int8' | 'float16';
  title: string;
  children: preact.ComponentChildren;
}) {
  return (
    <label class="check">
      <input
        type="radio"
        name="weights"
        value={value}
        checked={model.value === value}
        onChange={() => {
          model.value = value;
        }}
      />
      <span>
        {title} <small>{children}</small>
      </span>
    </label>
  );
}
