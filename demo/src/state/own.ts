import { batch, computed, effect, signal } from '@preact/signals';
import type { Generated } from '../engine/calls/generate';
import type { OpenedModel } from '../engine/calls/openModel';
import { type Chosen, chosenAmong, missingOf, noFiles } from '../engine/files';
import { readIds } from '../engine/ids';
import { currentEngine, isRunning } from './engine';
import { model, ownModels, pass, text } from './request';

/** The visitor's own model, while the worker keeps it. */
export const own = signal<OpenedModel | null>(null);

/** Linear weights are rounded to 8 bits when a model is opened. */
export const rounded = signal(false);

export const chosen = signal<Chosen<File>>(noFiles);
/** What happens to the files; null where nothing does. */
export const opening = signal<{ state: 'waiting' | 'reading' | 'refused'; message: string } | null>(null);

/** Takes dropped or chosen files, and opens the model as soon as they are enough. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  const next = chosenAmong(files, opening.peek()?.state === 'waiting' ? chosen.peek() : noFiles);
  if (!next) return refuse('The weights are split into several files: only a single file can be opened.');
  chosen.value = next;
  const { config, weights, tokenizer } = next;
  if (!config || !weights) {
    opening.value = { state: 'waiting', message: `Still missing: ${missingOf(next)}.` };
    return;
  }
  const engine = currentEngine();
  if (!engine) return refuse('The engine is not there: reload the page.');
  const now = { state: 'reading', message: `Opening ${weights.name}…` } as const;
  opening.value = now;
  try {
    const opened = await engine.call('openModel', { config, weights, tokenizer, rounded: rounded.peek() });
    if (opening.peek() === now) opening.value = null;
    use(opened);
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(message: string): void {
  opening.value = { state: 'refused', message };
}

function use(opened: OpenedModel): void {
  batch(() => {
    own.value = opened;
    ownModels.value++;
    model.value = 'own';
  });
}

// The worker keeps one model beside the usual one.
effect(() => {
  if (model.value === 'float16' || model.value === 'no-positions' || !isRunning.value) own.value = null;
});

/** Of a text that must be token ids, how many there may be; else null. */
const vocabulary = computed(() => (model.value === 'own' ? (own.value?.vocabulary ?? null) : null));
export const isIds = computed(() => vocabulary.value !== null);

let words: string | null = null;
// A sentence is no list of ids: ids take its place, and it comes back with a model that reads words.
effect(() => {
  const count = vocabulary.value;
  const before = text.peek();
  if (count === null) {
    if (words !== null && /^[\d\s,]*$/.test(before)) text.value = words;
    words = null;
  } else if (readIds(before, count).ids.length === 0) {
    words ??= before;
    text.value = Array.from({ length: Math.min(8, count - 1) }, (_, i) => i + 1).join(' ');
  }
});

/** What of the text is no id of this model. */
export const strangeIds = computed(() => {
  const count = vocabulary.value;
  return count === null ? null : { count, parts: readIds(text.value, count).strange };
});

export const canWrite = computed(() => model.value === 'own' && own.value?.info.isDecoder === true);

export const sampling = signal({ count: 32, temperature: 0, topK: 40, seed: 0 });
export const writing = signal(false);
/** How the last writing ended, in words. */
export const ending = signal('');

const endings: Record<Generated['ending'], string> = {
  count: '',
  text: 'The model ended its text.',
  room: 'The model reads no more tokens.',
  stop: '',
};

/** The last text that came from the model; another one was typed. */
let latest = '';
let runs = 0;

export async function write(): Promise<void> {
  const { topK, ...rest } = sampling.peek();
  const run = ++runs;
  latest = text.peek();
  batch(() => {
    writing.value = true;
    ending.value = '';
  });
  try {
    const argument = { ...rest, topK: topK > 0 ? topK : null, pass: pass.peek() };
    const result = await currentEngine()?.call('generate', argument, (value) => {
      const written = value as { text: string };
      // What comes after the visitor has gone on typing would overwrite it.
      if (!writing.peek() || run !== runs) return;
      latest = written.text;
      text.value = written.text;
    });
    ending.value = result ? endings[result.ending] : '';
  } catch (error) {
    ending.value = (error as Error).message;
  } finally {
    if (run === runs) writing.value = false;
  }
}

export function stopWriting(): void {
  writing.value = false;
  currentEngine()
    ?.call('stopGenerating', undefined)
    .catch(() => {});
}

// Whoever types or takes another model wants no more of it.
effect(() => {
  if (text.value === latest && canWrite.value) return;
  if (writing.peek()) stopWriting();
});
