import { placeText } from '../attention/describe';
import type { Matrix } from '../heatmap/matrix';
import { comparison, difference, matrixOfA, matrixOfB, obstacle } from '../state/compare';
import { Legend } from './Legend';
import { MatrixPlot } from './MatrixPlot';

/** A, B and what B has more: zoomed and moved together, the same pair marked in all. */
export function ComparePanes() {
  const compared = comparison.value;
  if (!compared) return null;
  return (
    <div class="panes">
      <Pane title="A" what={placeText(compared.a.head)} matrix={matrixOfA.value} testId="matrix-a" />
      <Pane title="B" what={placeText(compared.b.head)} matrix={matrixOfB.value} testId="matrix" />
      <Pane title="B − A" matrix={difference.value} testId="matrix-difference" missing={obstacle.value} />
    </div>
  );
}

interface Props {
  title: string;
  what?: string;
  matrix: Matrix | null;
  testId: string;
  missing?: string;
}

function Pane({ title, what, matrix, testId, missing = 'No tokens.' }: Props) {
  return (
    <section class="pane" aria-label={title}>
      <div class="pane-head">
        <h3>{title}</h3>
        {what && <span>{what}</span>}
        {matrix && <Legend scale={matrix.scale} />}
      </div>
      {matrix && matrix.length > 0 ? <MatrixPlot matrix={matrix} testId={testId} /> : <p class="empty">{missing}</p>}
    </section>
  );
}
