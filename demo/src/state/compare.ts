import { batch, computed, effect, signal } from '@preact/signals';
import { type Alignment, align } from '../attention/align';
import { differenceRoot } from '../attention/difference';
import type { HeadData, Reading, Tile } from '../engine/protocol';
import { type Matrix, matrixOfDifference, matrixOfHead, matrixOfPinned } from '../heatmap/matrix';
import { currentEngine } from './engine';
import { panel } from './panel';
import {
  ablated,
  length,
  lensKind,
  mask,
  model,
  place,
  separatorsHidden,
  temperature,
  text,
  weighting,
} from './request';
import { head, reading } from './shown';

/** A head of a text, as it was or is on screen. */
export interface View {
  head: HeadData;
  reading: Reading;
}

/** A; what is on screen is B. */
export const pinned = signal<View | null>(null);
export const current = computed<View>(() => ({ head: head.value, reading: reading.value }));

export interface Comparison {
  a: View;
  b: View;
  alignment: Alignment;
}

/** Only while it is looked at. */
export const comparison = computed<Comparison | null>(() => {
  const [a, b] = [pinned.value, current.value];
  if (panel.value !== 'compare' || !a) return null;
  return { a, b, alignment: align(b.reading.tokens, b.head.range, a.reading.tokens, a.head.range) };
});

export const matrixOfA = computed<Matrix | null>(() => {
  const compared = comparison.value;
  if (!compared) return null;
  const { a, alignment } = compared;
  return named('A', matrixOfPinned(a.head, a.reading.tokens, alignment));
});

export const matrixOfB = computed<Matrix | null>(() => {
  const b = comparison.value?.b;
  return b ? named('B', matrixOfHead(b.head, b.reading.tokens)) : null;
});

const named = (name: string, matrix: Matrix): Matrix => ({ ...matrix, name: `${name}, ${matrix.name}` });

/** From the pictures of both, where their cells are single pairs. */
const root = computed<Tile | null>(() => {
  const compared = comparison.value;
  return compared && differenceRoot(compared.b.head, compared.a.head, compared.alignment);
});

/** Of longer texts the worker makes it. */
const fetched = signal<{ of: Comparison; root: Tile | null } | null>(null);

export const difference = computed<Matrix | null>(() => {
  const compared = comparison.value;
  if (!compared || compared.alignment.ours.length === 0) return null;
  const { a, b, alignment } = compared;
  const made = root.value ?? (fetched.value?.of === compared ? fetched.value.root : null);
  return made && named('B less A', matrixOfDifference(b.head, a.head, b.reading.tokens, alignment, made));
});

/** Why there is no difference to see; empty where there is one. */
export const obstacle = computed(() => {
  const compared = comparison.value;
  if (!compared || difference.value) return '';
  const { by, ours } = compared.alignment;
  if (ours.length === 0) return 'The two texts have no token in common.';
  if (by === 'token') return 'Of more than 256 tokens, only texts of the same length have their difference shown.';
  return fetched.value?.of === compared
    ? 'The difference could not be made: pin A again.'
    : 'The difference is on its way.';
});

effect(() => {
  const compared = comparison.value;
  if (!compared || root.value || compared.alignment.by === 'token') return;
  const { serial, root: picture } = compared.b.head;
  const { rows, columns, size } = picture;
  const asked = currentEngine()?.tile(serial, { source: 'difference', rows, columns, size }) ?? Promise.resolve(null);
  asked
    .catch(() => null)
    .then((made) => {
      if (comparison.peek() === compared) fetched.value = { of: compared, root: made };
    });
});

/** What is on screen becomes A. */
export async function pinView(): Promise<void> {
  const view = current.peek();
  pinned.value = view;
  const isKept = await currentEngine()?.call('pin', view.head.serial);
  // The worker was a head further, which has come by now. The bundled example is known to the page alone.
  if (!isKept && pinned.peek() === view && current.peek() !== view) await pinView();
}

export function unpin(): void {
  pinned.value = null;
}

/** An own model cannot come back once another has taken its place. */
export const canSwap = computed(() => {
  const [a, b] = [pinned.value?.reading.pass, current.value.reading.pass];
  return a !== undefined && (a.model !== 'own' || (b.model === 'own' && a.own === b.own));
});

/** A comes back on screen, and what is there becomes A. */
export function swap(): void {
  const before = pinned.peek();
  if (!before) return;
  pinView();
  const { pass } = before.reading;
  const { lens, layer, head } = before.head;
  batch(() => {
    if (pass.model !== 'long') text.value = pass.text;
    model.value = pass.model;
    length.value = pass.length;
    mask.value = pass.mask;
    ablated.value = pass.ablated;
    temperature.value = pass.temperature;
    lensKind.value = lens.kind;
    separatorsHidden.value = lens.hideSeparators;
    weighting.value = lens.weighting;
    place.value = { layer, head };
  });
}
