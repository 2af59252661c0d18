import { signal } from '@preact/signals';
import { exact, rankOf, rowOf } from '../attention/pairs';
import { marked, matrix, view } from '../state';
import { Legend } from './Legend';
import { MatrixPlot } from './MatrixPlot';
import { MatrixTable } from './MatrixTable';

const open = signal(false);
const asTable = signal(false);

/** One head large: rows attend to columns. On narrow screens it waits behind a button. */
export function MatrixView() {
  const { tokens } = view.value;
  return (
    <section class="matrix" aria-label="Matrix" data-open={open.value}>
      <button
        type="button"
        class="button matrix-opener"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {open.value ? 'Hide the matrix' : 'Show the matrix'}
      </button>
      <div class="panel-head">
        <h2>Rows attend to columns</h2>
        <Readout />
        <Legend />
        <button
          type="button"
          class="button"
          aria-pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value;
          }}
        >
          Table
        </button>
      </div>
      {tokens.length === 0 && <p class="empty">A matrix of every token against every token.</p>}
      {tokens.length > 0 && (asTable.value ? <MatrixTable /> : <MatrixPlot />)}
    </section>
  );
}

/** The marked cell in numbers. */
function Readout() {
  const { tokens } = view.value;
  if (!marked.value) return null;
  const { query, key } = marked.value;
  const row = rowOf(matrix.value, tokens.length, query);
  return (
    <span class="readout">
      {tokens[query]} → {tokens[key]} <b>{exact(row[key])}</b> rank {rankOf(row, key)}
    </span>
  );
}
