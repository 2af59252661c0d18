import { panel } from '../state/panel';
import { Header } from './Header';
import { HeadGrid } from './HeadGrid';
import { Inspector } from './Inspector';
import { LiveRegion } from './LiveRegion';
import { MatrixView } from './MatrixView';
import { Compare } from './panels/Compare';
import { Learn } from './panels/Learn';
import { Masks } from './panels/Masks';
import { Speed } from './panels/Speed';
import { TextField } from './TextField';
import { TokenView } from './TokenView';

const panelViews = { explore: Inspector, masks: Masks, compare: Compare, learn: Learn, speed: Speed };

export function App() {
  const Panel = panelViews[panel.value];
  return (
    <div class="page">
      <Header />
      <main class="explorer">
        <TextField />
        <TokenView />
        <MatrixView />
        <section
          class="panel"
          id="panel"
          role="tabpanel"
          aria-labelledby={`tab-${panel.value}`}
          data-panel={panel.value}
        >
          <Panel />
        </section>
        <section class="heads" aria-label="All heads">
          <HeadGrid />
        </section>
      </main>
      <LiveRegion />
    </div>
  );
}
