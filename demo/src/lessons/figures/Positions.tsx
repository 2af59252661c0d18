import { weightOf } from '../../attention/weights';
import type { Aside } from '../../engine/calls/aside';
import { examplePass } from '../../example';
import { progress } from '../../state/engine';
import { model, place } from '../../state/request';
import { inOrder, scrambled } from '../order';
import { useAnswer } from '../useAnswer';

const lens = { kind: 'heads', weighting: 'attention', hideSeparators: false } as const;
const megabytes = (bytes: number) => Math.round(bytes / 1e6);

/** The same two words in order and scrambled, read by the model with its positions and without. */
export function Positions() {
  const given = useAnswer('aside', bothOrders('int8', place.value));
  // It is fetched only when the visitor asks for it.
  const isTaken = model.value === 'no-positions';
  const taken = useAnswer('aside', isTaken ? bothOrders('no-positions', place.value) : null);
  // Numbers come later than the head is opened: the caption goes with them.
  const { layer, head } = given?.[0].head ?? place.value;
  return (
    <table class="orders" data-testid="lesson-numbers">
      <caption>
        “it → animal” in layer {layer}, head {head}
      </caption>
      <thead>
        <tr>
          <td />
          <th scope="col">in order</th>
          <th scope="col">scrambled</th>
        </tr>
      </thead>
      <tbody>
        <Row title="with positions" read={given} />
        <Row title="without" read={taken?.[0].head.layer === layer && taken[0].head.head === head ? taken : null}>
          {isTaken ? arriving() : 'take them away first'}
        </Row>
      </tbody>
    </table>
  );
}

const bothOrders = (model: 'int8' | 'no-positions', at: typeof place.value) =>
  [inOrder, scrambled].map((text) => ({ pass: { ...examplePass, model, text }, lens, place: at }));

function arriving(): string {
  const bytes = progress.value;
  return bytes ? `${megabytes(bytes.loaded)} of ${megabytes(bytes.total)} MB` : '…';
}

function Row({ title, read, children = '…' }: { title: string; read: Aside[] | null; children?: string }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      {read ? (
        read.map((one, i) => {
          const weight = weightOf(one.head, one.tokens.indexOf('it'), one.tokens.indexOf('animal'));
          return (
            <td key={i} data-value={weight}>
              {weight.toFixed(4)}
            </td>
          );
        })
      ) : (
        <td colSpan={2}>{children}</td>
      )}
    </tr>
  );
}
