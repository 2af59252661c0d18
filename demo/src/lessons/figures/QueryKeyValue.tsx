import { useMemo } from 'preact/hooks';
import { plain } from '../../attention/pairs';
import { type Softmax, softmaxOf } from '../../attention/steps';
import { isolated } from '../../attention/tokens';
import { pair } from '../../state/pairs';
import { head, reading } from '../../state/shown';

/** Named in the sum; the others follow as one. */
const mostNamed = 3;

/** The pair in question, from query and key to its part of the output. */
export function QueryKeyValue() {
  const shown = head.value;
  const current = pair.value;
  const softmax = useMemo(() => current && softmaxOf(shown, current.query), [shown, current?.query]);
  if (!current || !softmax) return <p class="hint">The numbers of a pair of tokens appear here.</p>;
  if (shown.lens.kind === 'rollout') return <p class="hint">A rollout has no queries and keys of its own.</p>;
  const { tokens } = reading.value;
  const [query, key] = [tokens[current.query], tokens[current.key]].map(isolated);
  const step = softmax.steps.find((one) => one.key === current.key);
  if (!step) return null;
  return (
    <dl class="lesson-figures" data-testid="lesson-numbers">
      {/* Of the bundled example the finished scores are known. */}
      {shown.serial > 0 && (
        <Line what="query · key" note={`${query}, ${key}: ${shown.dims} numbers each`} value={step.dot}>
          {step.dot.toFixed(2)}
        </Line>
      )}
      <Line what="score" note={shown.serial > 0 ? `times ${shown.scale.toFixed(3)}` : 'scaled'} value={step.score}>
        {step.score.toFixed(2)}
      </Line>
      <Line what="weight" note={`exp(score), its share of all ${softmax.steps.length}`} value={step.weight}>
        {plain(step.weight)}
      </Line>
      <div class="lesson-sum">
        <dt>output of “{query}”</dt>
        <dd>{sumOf(softmax, tokens)}</dd>
      </div>
    </dl>
  );
}

interface LineProps {
  what: string;
  note: string;
  value: number;
  children: string;
}

const Line = ({ what, note, value, children }: LineProps) => (
  <div>
    <dt>
      {what} <small>{note}</small>
    </dt>
    <dd data-value={value}>{children}</dd>
  </div>
);

function sumOf({ steps }: Softmax, tokens: readonly string[]): string {
  const named = steps.slice(0, mostNamed).map(({ key, weight }) => `${weight.toFixed(2)}·v(${isolated(tokens[key])})`);
  return [...named, ...(steps.length > mostNamed ? ['…'] : [])].join(' + ');
}
