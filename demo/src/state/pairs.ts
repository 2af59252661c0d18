import { batch, computed, effect, signal } from '@preact/signals';
import { type Pair, strongestKey, strongestPair } from '../attention/pairs';
import { carry } from '../attention/tokens';
import { rowOf } from '../attention/weights';
import { head, isEmpty, reading } from './shown';

const { tokens } = reading.peek();

/** Kept until they are let go; the last one is the one the numbers speak of. */
export const locked = signal<readonly Pair[]>([{ query: tokens.indexOf('it'), key: tokens.indexOf('animal') }]);
/** Whether a further lock keeps those before it. */
export const locksSeveral = signal(false);
const pointed = signal<{ query: number; key: number | null } | null>(null);

const isShown = (token: number) => token >= head.value.range[0] && token < head.value.range[1];

export const lockedPairs = computed(() => locked.value.filter(({ query, key }) => isShown(query) && isShown(key)));

export const lockedPair = computed<Pair | null>(() => lockedPairs.value.at(-1) ?? null);

/** What the page speaks of: the last locked pair, else the strongest of this head. */
export const pair = computed<Pair | null>(() =>
  isEmpty.value ? null : (lockedPair.value ?? strongestPair(reading.value.tokens, head.value)),
);

/** What every view marks: the pair under the pointer or the focus (of a token alone, what it attends to most), else the pair above. */
export const marked = computed<Pair | null>(() => {
  const at = pointed.value;
  if (!at || !isShown(at.query)) return pair.value;
  if (at.key !== null && isShown(at.key)) return { query: at.query, key: at.key };
  return { query: at.query, key: strongestKeyOf(at.query) };
});

export const strongestKeyOf = (query: number) => strongestKey(rowOf(head.value, query), head.value.range);

export function point(query: number, key: number | null = null): void {
  pointed.value = { query, key };
}

export function pointNowhere(): void {
  pointed.value = null;
}

/** Beside those before it when `several`; else in their place. */
export function lock(pair: Pair, several = locksSeveral.peek()): void {
  const others = several ? locked.peek().filter(({ query }) => query !== pair.query) : [];
  locked.value = [...others, pair];
}

export function unlock(query?: number): void {
  locked.value = query === undefined ? [] : locked.peek().filter((one) => one.query !== query);
}

let awaited: { text: string; pairs: readonly Pair[] } | null = null;

/** Locks pairs of a text that may not have been read yet. */
export function lockIn(text: string, pairs: readonly Pair[]): void {
  awaited = reading.peek().pass.text === text ? null : { text, pairs };
  if (!awaited) locked.value = pairs;
}

// Locked pairs go with their tokens when the text is edited around them.
let before = tokens;
effect(() => {
  const { tokens: after, pass } = reading.value;
  if (after === before) return;
  const from = before;
  before = after;
  if (awaited?.text === pass.text) {
    locked.value = awaited.pairs;
    awaited = null;
    return;
  }
  batch(() => {
    pointed.value = null;
    locked.value = locked.peek().flatMap((pair) => {
      const [query, key] = [carry(from, after, pair.query), carry(from, after, pair.key)];
      return query === null || key === null ? [] : [{ query, key }];
    });
  });
});
