import { changeText, excerpt, lensText, maskText, modelText, placeText } from '../attention/describe';
import { canSwap, pinView, swap, type View } from '../state/compare';

/** What A and B are; where they differ is written darker. */
export function Sides({ a, b }: { a: View; b: View }) {
  return (
    <>
      <dl class="sides">
        <Side name="A" view={a} other={b} />
        <Side name="B" view={b} other={a} />
      </dl>
      <div class="buttons">
        <button type="button" class="button" onClick={pinView}>
          Pin this view as A
        </button>
        <button
          type="button"
          class="button"
          disabled={!canSwap.value}
          title={canSwap.value ? undefined : 'The model of A is no longer open.'}
          onClick={swap}
        >
          Swap
        </button>
      </div>
    </>
  );
}

function Side({ name, view, other }: { name: string; view: View; other: View }) {
  const [own, others] = [partsOf(view), partsOf(other)];
  return (
    <div data-testid={`side-${name.toLowerCase()}`}>
      <dt>{name}</dt>
      <dd>
        <p class="side-text" data-differs={view.reading.pass.text !== other.reading.pass.text}>
          {excerpt(view.reading.pass.text, 120) || `${view.head.size} tokens`}
        </p>
        <p>{own.map((part, i) => part && <Part key={i} text={part} differs={part !== others[i]} />)}</p>
      </dd>
    </div>
  );
}

function Part({ text, differs }: { text: string; differs: boolean }) {
  return (
    <>
      <span class="side-part" data-differs={differs}>
        {text}
      </span>{' '}
    </>
  );
}

const partsOf = ({ head, reading }: View) => [
  placeText(head),
  lensText(head.lens) === 'weights' ? '' : lensText(head.lens),
  maskText(head.mask, head.isCausal),
  modelText(reading.model),
  changeText(reading.pass),
];
