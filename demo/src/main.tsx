import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './components/App';
import { phase, reading, start, unlock } from './state';
import { applyTheme } from './theme';

const root = document.getElementById('root') as HTMLElement;
applyTheme();
effect(() => {
  root.dataset.state = phase.value;
  root.dataset.text = reading.value.text;
});
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') unlock();
});
render(<App />, root);
// The example is painted before the weights compete for the network.
requestAnimationFrame(start);
