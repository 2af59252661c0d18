import { signal, useSignal } from '@preact/signals';
import { plain } from '../attention/pairs';
import { partsOf, productsOf, type Softmax } from '../attention/steps';
import { head, reading } from '../state/shown';
import { Pages } from './Pages';

const open = signal(false);
const pageSize = 32;

interface Props {
  query: number;
  keyIndex: number;
  softmax: Softmax;
}

/** What the numbers of one pair are made of, dimension by dimension. */
export function Dimensions(props: Props) {
  return (
    <details
      class="steps-dimensions"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>Dimension by dimension</summary>
      {open.value && <Numbers {...props} />}
    </details>
  );
}

function Numbers({ query, keyIndex, softmax }: Props) {
  const { tokens } = reading.value;
  const start = useSignal(0);
  const products = productsOf(head.value, query, keyIndex);
  const parts = partsOf(head.value, softmax, keyIndex);
  const weight = softmax.steps.find(({ key }) => key === keyIndex)?.weight ?? 0;
  const count = Math.max(products.length, parts?.length ?? 0);
  const from = start.value < count ? start.value : 0;
  const to = Math.min(count, from + pageSize);
  const dot = products.reduce((sum, { product }) => sum + product, 0);
  return (
    <>
      <table class="steps-table" data-testid="steps-dimensions">
        <caption>
          “<bdi>{tokens[query]}</bdi>” → “<bdi>{tokens[keyIndex]}</bdi>”: q × k adds up to {dot.toFixed(2)}; v ×{' '}
          {plain(weight)} is this key’s part of the output
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <abbr title="dimension">d</abbr>
            </th>
            <th scope="col">q</th>
            <th scope="col">k</th>
            <th scope="col">q × k</th>
            {parts && (
              <>
                <th scope="col">v</th>
                <th scope="col" title="weight times value">
                  α × v
                </th>
                <th scope="col" title="over all keys: the output of this head for the query">
                  Σ α × v
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: to - from }, (_, i) => from + i).map((d) => (
            <tr key={d}>
              <th scope="row">{d}</th>
              <Cell value={products[d]?.query} />
              <Cell value={products[d]?.key} />
              <Cell value={products[d]?.product} />
              {parts && (
                <>
                  <Cell value={parts[d]?.value} />
                  <Cell value={parts[d]?.part} />
                  <Cell value={parts[d]?.output} />
                </>
              )}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Σ</th>
            <td colSpan={2} />
            <Cell value={dot} />
            {parts && <td colSpan={3} />}
          </tr>
        </tfoot>
      </table>
      {!parts && <p class="caveat">The values are not at hand, so the weighted sum is not shown.</p>}
      <Pages
        from={from}
        size={pageSize}
        length={count}
        onChange={(next) => {
          start.value = next;
        }}
      />
    </>
  );
}

const Cell = ({ value }: { value: number | undefined }) => (
  <td data-value={value}>{value === undefined ? '' : value.toFixed(2)}</td>
);
