import { batch, computed, effect, signal } from '@preact/signals';
import { type Engine, startEngine } from '../engine/client';
import type { PassSpec } from '../engine/protocol';
import { exampleLook, examplePass } from '../example';
import { lens, model, pass, place } from './request';
import { show } from './shown';

/** 'example' is on screen before anything is loaded. */
export type Phase = 'example' | 'loading' | 'ready' | 'error';

export const phase = signal<Phase>('example');
export const failure = signal('');
/** Bytes of weights that are arriving; null when none are. */
export const progress = signal<{ loaded: number; total: number } | null>(null);

const engine = signal<Engine | null>(null);

/** Whether there is a worker. */
export const isRunning = computed(() => engine.value !== null);

/** The worker, for tiles and calls. */
export const currentEngine = () => engine.peek();

export function start(): void {
  engine.value = startEngine({
    onProgress(loaded, total) {
      progress.value = loaded < total ? { loaded, total } : null;
    },
    onLook(look) {
      batch(() => {
        phase.value = 'ready';
        show(look);
      });
    },
    onFailure: fail,
    onCrash(message) {
      engine.value = null;
      fail(message);
    },
  });
}

function fail(message: string): void {
  batch(() => {
    phase.value = 'error';
    failure.value = message;
    progress.value = null;
  });
}

/** Asks again for what failed; of a worker that has died, a new one, which has no model of the visitor's own. */
export function retry(): void {
  phase.value = 'loading';
  if (engine.peek()) engine.peek()?.look(pass.peek(), lens.peek(), place.peek());
  else {
    if (model.peek() === 'own') model.value = 'int8';
    start();
  }
}

const isExample = (pass: PassSpec) => JSON.stringify(pass) === JSON.stringify(examplePass);

// The one place that asks: whatever the visitor changes, and at the start, when the engine's own numbers take the place of the bundled ones.
effect(() => {
  const asked = [pass.value, lens.value, place.value] as const;
  if (phase.peek() !== 'ready' && isExample(asked[0])) show(exampleLook(asked[1], asked[2]));
  if (!engine.value) return;
  if (phase.peek() === 'example') phase.value = 'loading';
  engine.value.look(...asked);
});
