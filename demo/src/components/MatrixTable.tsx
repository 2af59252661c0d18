import { exact } from '../attention/pairs';
import { head, lockedPair, matrix, view } from '../state';

/** The matrix as numbers: every weight, with four decimals to read and the full value in data-value. */
export function MatrixTable() {
  const { tokens } = view.value;
  const { layer, head: index } = head.value;
  const size = tokens.length;
  const locked = lockedPair.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section class="table-scroll" tabIndex={0} aria-label="Weights as a table">
      <table data-testid="matrix-table">
        <caption class="visually-hidden">
          Layer {layer}, head {index}: each row token attends to the column tokens
        </caption>
        <thead>
          <tr>
            <td />
            {tokens.map((token, key) => (
              <th key={key} scope="col">
                {token}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tokens.map((token, query) => (
            <tr key={query}>
              <th scope="row">{token}</th>
              {tokens.map((_, key) => {
                const weight = matrix.value[query * size + key];
                return (
                  <td
                    key={key}
                    data-value={weight}
                    class={locked?.query === query && locked.key === key ? 'locked' : undefined}
                  >
                    {exact(weight)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
