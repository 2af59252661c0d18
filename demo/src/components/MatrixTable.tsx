import { useSignal } from '@preact/signals';
import { exact } from '../attention/pairs';
import type { Matrix } from '../heatmap/matrix';
import { lockedPair } from '../state/pairs';

/** Rows and columns at once: a table of a long text has millions of cells. */
const pageSize = 32;

/** A matrix as numbers, a page at a time: every weight, with four decimals to read and the full value in data-value. */
export function MatrixTable({ matrix }: { matrix: Matrix }) {
  const { tokens, length } = matrix;
  const locked = lockedPair.value;
  const start = useSignal({
    row: pageOf((locked && matrix.placeOf(locked.query)) ?? 0),
    column: pageOf((locked && matrix.placeOf(locked.key)) ?? 0),
  });
  const rows = pageFrom(start.value.row, length);
  const columns = pageFrom(start.value.column, length);
  return (
    <>
      {length > pageSize && (
        <div class="table-pages">
          <Pager
            name="rows"
            from={rows[0]}
            length={length}
            onChange={(row) => (start.value = { ...start.value, row })}
          />
          <Pager
            name="columns"
            from={columns[0]}
            length={length}
            onChange={(column) => (start.value = { ...start.value, column })}
          />
        </div>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label="Weights as a table">
        <table data-testid="matrix-table">
          <caption class="visually-hidden">{matrix.name}: each row token attends to the column tokens</caption>
          <thead>
            <tr>
              <td />
              {columns.map((column) => (
                <th key={column} scope="col">
                  <bdi>{tokens[column]}</bdi>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                <th scope="row">
                  <bdi>{tokens[row]}</bdi>
                </th>
                {columns.map((column) => {
                  const value = matrix.value(row, column);
                  const isLocked = locked?.query === matrix.tokenAt(row) && locked?.key === matrix.tokenAt(column);
                  return (
                    <td key={column} data-value={value} class={isLocked ? 'locked' : undefined}>
                      {exact(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

interface PagerProps {
  name: string;
  from: number;
  length: number;
  onChange(from: number): void;
}

function Pager({ name, from, length, onChange }: PagerProps) {
  const to = Math.min(length, from + pageSize);
  return (
    <span class="pager">
      <button
        type="button"
        class="button"
        aria-label={`Earlier ${name}`}
        disabled={from === 0}
        onClick={() => onChange(from - pageSize)}
      >
        ←
      </button>
      {name} {from + 1}–{to} of {length}
      <button
        type="button"
        class="button"
        aria-label={`Later ${name}`}
        disabled={to === length}
        onClick={() => onChange(from + pageSize)}
      >
        →
      </button>
    </span>
  );
}

const pageOf = (index: number) => Math.floor(index / pageSize) * pageSize;

function pageFrom(start: number, length: number): number[] {
  // A shorter text may have come since.
  const from = Math.min(start, pageOf(Math.max(0, length - 1)));
  return Array.from({ length: Math.min(pageSize, length - from) }, (_, i) => from + i);
}
