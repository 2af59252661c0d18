import { batch, computed, signal } from '@preact/signals';
import { byWeight, type Pair, rowOf, strongestPair } from './attention/pairs';
import { type Reading, viewOf, withoutSeparators } from './attention/reading';
import { carry } from './attention/tokens';
import { type Engine, startEngine } from './engine/client';
import { exampleReading } from './example';

export type Phase = 'example' | 'loading' | 'ready' | 'error';

const nothingRead: Reading = { ...exampleReading, text: '', tokens: [], layers: [] };

export const phase = signal<Phase>('example');
export const failure = signal('');
export const progress = signal({ loaded: 0, total: 0 });
export const text = signal(exampleReading.text);
export const reading = signal(exampleReading);
export const separatorsHidden = signal(false);
export const head = signal({ layer: 3, head: 1 });

// Pairs are kept by their place in the reading, so that hiding the separators moves nothing.
const locked = signal<Pair | null>({
  query: exampleReading.tokens.indexOf('it'),
  key: exampleReading.tokens.indexOf('animal'),
});
const pointed = signal<{ query: number; key: number | null } | null>(null);

const whole = computed(() => viewOf(reading.value));
export const view = computed(() => (separatorsHidden.value ? withoutSeparators(whole.value) : whole.value));
export const matrix = computed(() => view.value.matrices[head.value.layer]?.[head.value.head] ?? new Float32Array(0));

const shown = (position: number) => view.value.positions.indexOf(position);

/** The locked pair, in the view's own indices. */
export const lockedPair = computed<Pair | null>(() => {
  if (!locked.value) return null;
  const pair = { query: shown(locked.value.query), key: shown(locked.value.key) };
  return pair.query < 0 || pair.key < 0 ? null : pair;
});

/** What the page speaks of: the locked pair, else the strongest of this head. */
export const pair = computed(() => lockedPair.value ?? strongestPair(view.value.tokens, matrix.value));

/** What every view marks: the pair under the pointer or the focus (of a token alone, what it attends to most), else the pair above. */
export const marked = computed<Pair | null>(() => {
  const query = pointed.value ? shown(pointed.value.query) : -1;
  if (!pointed.value || query < 0) return pair.value;
  const key = pointed.value.key === null ? -1 : shown(pointed.value.key);
  return { query, key: key < 0 ? strongestKey(query) : key };
});

export const strongestKey = (query: number) => byWeight(rowOf(matrix.value, view.value.tokens.length, query))[0];

export function point(query: number, key: number | null = null): void {
  const { positions } = view.value;
  pointed.value = { query: positions[query], key: key === null ? null : positions[key] };
}

export function pointNowhere(): void {
  pointed.value = null;
}

export function lock({ query, key }: Pair): void {
  const { positions } = view.value;
  locked.value = { query: positions[query], key: positions[key] };
}

export function unlock(): void {
  locked.value = null;
}

export function openHead(layer: number, index: number): void {
  head.value = { layer, head: index };
}

function show(next: Reading): void {
  const before = reading.value.tokens;
  const pair = locked.value;
  batch(() => {
    reading.value = next;
    pointed.value = null;
    if (!pair) return;
    const query = carry(before, next.tokens, pair.query);
    const key = carry(before, next.tokens, pair.key);
    locked.value = query === null || key === null ? null : { query, key };
  });
}

let engine: Engine | null = null;

export function start(): void {
  engine?.stop();
  batch(() => {
    phase.value = 'loading';
    failure.value = '';
    progress.value = { loaded: 0, total: 0 };
  });
  engine = startEngine({
    onProgress(loaded, total) {
      progress.value = { loaded, total };
    },
    onReading(next) {
      batch(() => {
        phase.value = 'ready';
        // The newest text may be none: its two separators are nothing to look at.
        show(next.text.trim() === '' ? nothingRead : next);
      });
    },
    onFailure(message) {
      batch(() => {
        phase.value = 'error';
        failure.value = message;
      });
    },
  });
  // Also for the example: its measured time and the engine's own numbers replace the bundled ones.
  engine.read(text.value);
}

export function edit(value: string): void {
  text.value = value;
  if (value.trim() === '') show(nothingRead);
  if (phase.value !== 'error') engine?.read(value);
}
