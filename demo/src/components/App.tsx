import { Header } from './Header';
import { HeadGrid } from './HeadGrid';
import { Inspector } from './Inspector';
import { LiveRegion } from './LiveRegion';
import { MatrixView } from './MatrixView';
import { TextField } from './TextField';
import { TokenView } from './TokenView';

export function App() {
  return (
    <div class="page">
      <Header />
      <main class="explorer">
        <TextField />
        <TokenView />
        <MatrixView />
        <Inspector />
        <HeadGrid />
      </main>
      <LiveRegion />
    </div>
  );
}
