import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './components/App';
import { registerServiceWorker } from './offline';
import { phase, start } from './state/engine';
import { unlock } from './state/pairs';
import { readAddress } from './state/share';
import { head, reading } from './state/shown';
import { applyTheme } from './theme';

const root = document.getElementById('root') as HTMLElement;
applyTheme();
effect(() => {
  root.dataset.state = phase.value;
  root.dataset.text = reading.value.pass.text;
  root.dataset.tokens = String(reading.value.tokens.length);
  root.dataset.head = `${head.value.layer}.${head.value.head}`;
});
document.addEventListener('keydown', ({ key, defaultPrevented }) => {
  if (key === 'Escape' && !defaultPrevented) unlock();
});
readAddress();
addEventListener('hashchange', readAddress);
render(<App />, root);
const stopWaiting = effect(() => {
  if (phase.value !== 'ready') return;
  registerServiceWorker();
  queueMicrotask(() => stopWaiting());
});
// The example is painted before the weights compete for the network.
requestAnimationFrame(start);
