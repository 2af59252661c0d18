import { signal, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { plain } from '../attention/pairs';
import { type Softmax, softmaxOf } from '../attention/steps';
import { isolated, isRepeated } from '../attention/tokens';
import { lock } from '../state/pairs';
import { head, reading } from '../state/shown';
import { Dimensions } from './Dimensions';
import { Pages } from './Pages';

const open = signal(false);

/** How the weights of one query come about, from dot products to the weighted sum of the values. */
export function Steps({ query, current }: { query: number; current: number }) {
  return (
    <details
      class="steps"
      open={open.value}
      data-testid="steps"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>Step by step</summary>
      {open.value && <Content query={query} current={current} />}
    </details>
  );
}

function Content({ query, current }: { query: number; current: number }) {
  const shown = head.value;
  const softmax = useMemo(() => (shown.serial > 0 ? softmaxOf(shown, query) : null), [shown, query]);
  if (shown.lens.kind === 'rollout')
    return <p class="caveat">A rollout multiplies the weights of all layers: it has no queries and keys of its own.</p>;
  if (!softmax)
    return <p class="caveat">The bundled example holds finished scores: the steps come with the model itself.</p>;
  return (
    <>
      <Keys query={query} current={current} softmax={softmax} />
      <Dimensions query={query} keyIndex={current} softmax={softmax} />
    </>
  );
}

/** Strongest ones first; more of them a page at a time. */
const fewKeys = 12;
const pageKeys = 48;

interface KeysProps {
  query: number;
  current: number;
  softmax: Softmax;
}

function Keys({ query, current, softmax: { steps, sum, largest } }: KeysProps) {
  const { tokens } = reading.value;
  const isAll = useSignal(false);
  const start = useSignal(0);
  const from = isAll.value && start.value < steps.length ? start.value : 0;
  const shown = steps.slice(from, from + (isAll.value ? pageKeys : fewKeys));
  const token = (key: number) => `${isolated(tokens[key])}${isRepeated(tokens, key) ? ` ${key}` : ''}`;
  return (
    <>
      <table class="steps-table" data-testid="steps-keys">
        <caption>
          The query of “{token(query)}” against every key, {head.value.dims} dimensions; the scale is{' '}
          {head.value.scale.toFixed(3)}
        </caption>
        <thead>
          <tr>
            <th scope="col">key</th>
            <th scope="col">q·k</th>
            <th scope="col">× scale</th>
            <th scope="col" title="exp(score − largest score)">
              exp
            </th>
            <th scope="col" title="its share of the sum">
              weight
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ key, dot, score, isAttended, exponential, weight }) => (
            <tr key={key} data-key={key} data-current={key === current || undefined}>
              <th scope="row">
                <button
                  type="button"
                  class="step-key"
                  aria-pressed={key === current}
                  onClick={() => lock({ query, key })}
                >
                  {token(key)}
                </button>
              </th>
              <td data-value={dot}>{dot.toFixed(2)}</td>
              <td data-value={score}>{score.toFixed(2)}</td>
              {isAttended ? <td data-value={exponential}>{plain(exponential)}</td> : <td>masked</td>}
              <td data-value={weight} class="step-weight" style={{ '--weight': weight.toFixed(3) }}>
                {plain(weight)}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">sum of all</th>
            <td />
            <td title="largest score">{sum > 0 && `max ${largest.toFixed(2)}`}</td>
            <td data-value={sum}>{sum.toFixed(3)}</td>
            <td>{sum > 0 ? '1' : '0'}</td>
          </tr>
        </tfoot>
      </table>
      {steps.length > fewKeys && (
        <div class="buttons">
          <button
            type="button"
            class="button"
            aria-pressed={isAll.value}
            onClick={() => {
              isAll.value = !isAll.value;
            }}
          >
            Show all {steps.length}
          </button>
          {isAll.value && (
            <Pages
              from={from}
              size={pageKeys}
              length={steps.length}
              onChange={(next) => {
                start.value = next;
              }}
            />
          )}
        </div>
      )}
    </>
  );
}
