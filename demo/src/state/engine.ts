import { batch, effect, signal } from '@preact/signals';
import { type Engine, startEngine } from '../engine/client';
import type { PassSpec } from '../engine/protocol';
import { exampleLook, examplePass } from '../example';
import { lens, pass, place } from './request';
import { show } from './shown';

/** 'example' is on screen before anything is loaded. */
export type Phase = 'example' | 'loading' | 'ready' | 'error';

export const phase = signal<Phase>('example');
export const failure = signal('');
/** Bytes of weights that are arriving; null when none are. */
export const progress = signal<{ loaded: number; total: number } | null>(null);

const engine = signal<Engine | null>(null);

/** The worker, for tiles and calls. */
export const currentEngine = () => engine.peek();

export function start(): void {
  engine.peek()?.stop();
  batch(() => {
    phase.value = 'loading';
    failure.value = '';
    progress.value = null;
    engine.value = startEngine({
      onProgress(loaded, total) {
        progress.value = loaded < total ? { loaded, total } : null;
      },
      onLook(look) {
        batch(() => {
          phase.value = 'ready';
          failure.value = '';
          show(look);
        });
      },
      onFailure(message) {
        batch(() => {
          phase.value = 'error';
          failure.value = message;
        });
      },
    });
  });
}

const isExample = (pass: PassSpec) => JSON.stringify(pass) === JSON.stringify(examplePass);

// The one place that asks: whatever the visitor changes, and at the start, when the engine's own numbers take the place of the bundled ones.
effect(() => {
  const asked = [pass.value, lens.value, place.value] as const;
  if (phase.peek() !== 'ready' && isExample(asked[0])) show(exampleLook(asked[1], asked[2]));
  engine.value?.look(...asked);
});
