import { computed, signal } from '@preact/signals';
import { exact, rankOf } from '../attention/pairs';
import { rowOf } from '../attention/weights';
import { matrixOfHead } from '../heatmap/matrix';
import { wholeOf, zoomed } from '../heatmap/plot';
import { comparison, difference } from '../state/compare';
import { asTable, matrixWindow } from '../state/matrix';
import { marked } from '../state/pairs';
import { head, isEmpty, reading } from '../state/shown';
import { ComparePanes } from './ComparePanes';
import { ExportMenu } from './ExportMenu';
import { Legend } from './Legend';
import { MatrixPlot } from './MatrixPlot';
import { MatrixTable } from './MatrixTable';

const open = signal(false);
const matrix = computed(() => matrixOfHead(head.value, reading.value.tokens));

/** One head large: rows attend to columns. On narrow screens it waits behind a button. */
export function MatrixView() {
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
        {!comparison.value && <Legend />}
        <Zoom />
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
        <ExportMenu />
      </div>
      {isEmpty.value ? <p class="empty">A matrix of every token against every token.</p> : <Cells />}
    </section>
  );
}

/** Beside a pinned view, both and what they differ by; as numbers, the difference. */
function Cells() {
  if (asTable.value) return <MatrixTable matrix={difference.value ?? matrix.value} />;
  return comparison.value ? <ComparePanes /> : <MatrixPlot matrix={matrix.value} />;
}

/** The marked cell in numbers. */
function Readout() {
  const { tokens } = reading.value;
  if (!marked.value) return null;
  const { query, key } = marked.value;
  const row = rowOf(head.value, query);
  return (
    <span class="readout">
      <span class="readout-pair">
        <bdi>{tokens[query]}</bdi> → <bdi>{tokens[key]}</bdi>
      </span>{' '}
      <b>{exact(row[key])}</b> rank {rankOf(row, key)}
    </span>
  );
}

/** For fingers; the wheel and the keys do the same. */
function Zoom() {
  if (isEmpty.value || asTable.value) return null;
  const { length, placeOf } = matrix.value;
  const window = matrixWindow.value ?? wholeOf(length);
  const place = (token: number | undefined) => (token === undefined ? 0 : (placeOf(token) ?? 0)) + 0.5;
  const zoom = (factor: number) => {
    const next = zoomed(window, factor, place(marked.value?.query), place(marked.value?.key), length);
    matrixWindow.value = next.rows >= length && next.columns >= length ? null : next;
  };
  return (
    <span class="zoom">
      <button type="button" class="button" aria-label="Zoom in" onClick={() => zoom(0.5)}>
        +
      </button>
      <button type="button" class="button" aria-label="Zoom out" disabled={!matrixWindow.value} onClick={() => zoom(2)}>
        −
      </button>
    </span>
  );
}
