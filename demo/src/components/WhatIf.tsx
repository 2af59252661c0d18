import type { ComponentChildren } from 'preact';
import { counted } from '../attention/describe';
import { openHead, temperature } from '../state/request';
import { head, reading } from '../state/shown';
import { effects, isChanged, isOff, offHeads, reset, switchHeads } from '../state/what-if';

/** Heads switched off and sharper or flatter weights, and what of the model's answer changes by it. */
export function WhatIf() {
  return (
    <section class="what-if" aria-labelledby="what-if-title">
      <div class="panel-head">
        <h2 id="what-if-title">What if</h2>
        <button type="button" class="button" disabled={!isChanged.value} onClick={reset}>
          Reset
        </button>
      </div>
      {reading.value.pass.model === 'long' ? (
        <p class="caveat">This sequence was made without a model: there is nothing to switch off.</p>
      ) : (
        <>
          <Switches />
          <OffHeads />
          <Temperature />
          <Outcome />
        </>
      )}
    </section>
  );
}

function Switches() {
  const { layer, head: index, lens } = head.value;
  const { heads } = reading.value.model;
  const all = Array.from({ length: heads }, (_, i) => i);
  const isLayerOff = all.every((one) => isOff(layer, one));
  return (
    <div class="buttons">
      {lens.kind === 'heads' && (
        <button type="button" class="button" onClick={() => switchHeads(layer, [index], !isOff(layer, index))}>
          Switch this head {isOff(layer, index) ? 'on' : 'off'}
        </button>
      )}
      <button type="button" class="button" onClick={() => switchHeads(layer, all, !isLayerOff)}>
        {isLayerOff ? `Switch layer ${layer} on` : `Switch off all of layer ${layer}`}
      </button>
    </div>
  );
}

function OffHeads() {
  if (offHeads.value.length === 0) return <p class="caveat">Every head is on.</p>;
  return (
    <ul class="chips" aria-label="Heads switched off">
      {offHeads.value.map(({ layer, heads }) =>
        heads.length === reading.value.model.heads ? (
          <Chip key={layer} layer={layer} heads={heads} name={`all of layer ${layer}`} text={`${layer}, all`} />
        ) : (
          heads.map((one) => (
            <Chip
              key={`${layer}.${one}`}
              layer={layer}
              heads={[one]}
              name={`layer ${layer}, head ${one}`}
              text={`${layer}.${one}`}
            />
          ))
        ),
      )}
    </ul>
  );
}

interface ChipProps {
  layer: number;
  heads: readonly number[];
  name: string;
  text: string;
}

function Chip({ layer, heads, name, text }: ChipProps) {
  return (
    <li>
      <button
        type="button"
        class="chip"
        aria-label={`${text}: switch ${name} on`}
        title={`Switch ${name} on`}
        onClick={() => switchHeads(layer, heads, false)}
      >
        {text} <span aria-hidden="true">×</span>
      </button>
    </li>
  );
}

function Temperature() {
  return (
    <label class="temperature">
      <span>Temperature</span>
      <input
        type="range"
        min="0.25"
        max="4"
        step="0.05"
        value={temperature.value}
        onInput={(event) => {
          temperature.value = event.currentTarget.valueAsNumber;
        }}
      />
      <output>{temperature.value.toFixed(2)}</output>
    </label>
  );
}

/** In numbers, with bars beside them. */
function Outcome() {
  const shown = effects.value;
  if (!isChanged.value) return <p class="caveat">Switch a head off, or make all weights sharper or flatter.</p>;
  if (!shown) return <p class="caveat">What changes is being reckoned.</p>;
  if (!shown.result)
    return <p class="caveat">Of {counted(reading.value.tokens.length, 'token')} the effects are not reckoned.</p>;
  const { cosine, hidden, attention } = shown.result;
  return (
    <div data-testid="effects" aria-busy={shown.of !== reading.value}>
      <dl class="figures">
        <div>
          <dt>cosine of the sentence embedding, before and after</dt>
          <dd data-value={cosine}>{cosine.toFixed(4)}</dd>
        </div>
      </dl>
      <table class="effects">
        <caption class="visually-hidden">What changes in each layer</caption>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col" title="‖h − h₀‖ / ‖h₀‖ of its output">
              output
            </th>
            <th scope="col" title="The largest change of any weight of its heads">
              weights, at most
            </th>
          </tr>
        </thead>
        <tbody>
          {hidden.map((change, layer) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              <Bar value={change} kind="output" text={percent(change)} />
              <Bar value={attention[layer].change} kind="weights" text={attention[layer].change.toFixed(3)}>
                {attention[layer].change > 0 && (
                  <button
                    type="button"
                    class="link-button"
                    aria-label={`${layer}.${attention[layer].head}: open layer ${layer}, head ${attention[layer].head}`}
                    onClick={() => openHead(layer, attention[layer].head)}
                  >
                    {layer}.{attention[layer].head}
                  </button>
                )}
              </Bar>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface BarProps {
  value: number;
  kind: 'output' | 'weights';
  text: string;
  children?: ComponentChildren;
}

function Bar({ value, kind, text, children }: BarProps) {
  return (
    <td data-value={value}>
      <span class="effect">
        <span class={`bar-track effect-${kind}`} style={{ '--weight': Math.min(1, value) }} aria-hidden="true" />
        <span>{text}</span>
        {children}
      </span>
    </td>
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
