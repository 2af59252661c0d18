import { computed, effect, signal } from '@preact/signals';
import { habitOf, type Ranked, ranked } from '../attention/search';
import type { Detector, Found } from '../engine/calls/search';
import type { LensSpec, Reading } from '../engine/protocol';
import { currentEngine, phase } from './engine';
import { pair } from './pairs';
import { panel } from './panel';
import { pass } from './request';
import { head, overview, reading } from './shown';

/** What the heads are ordered by; null: as they are in the model. */
export const order = signal<Detector | null>(null);
/** Whether any query, or any key, will do; else it is that of the pair in question. */
export const isAny = signal({ from: false, to: false });

interface Answer {
  of: Reading;
  lens: LensSpec;
  spec: { from: number | null; to: number | null };
  found: Found | null;
}

const spec = computed(() => ({
  from: isAny.value.from ? null : (pair.value?.query ?? null),
  to: isAny.value.to ? null : (pair.value?.key ?? null),
}));

const answer = signal<Answer | null>(null);

/** Of the newest text that was searched; null where that had other heads. */
export const found = computed<Found | null>(() => {
  const newest = answer.value?.found;
  const { layers, heads } = overview.value;
  return newest && newest.layers === layers && newest.heads === heads ? newest : null;
});

/** The heads in order; null where that is the model's own. */
export const ranking = computed<Ranked[] | null>(() =>
  found.value && order.value ? ranked(found.value, order.value) : null,
);

/** Of the open head, as long as it is of the text that was searched. */
export const habit = computed(() =>
  found.value && answer.value?.of === reading.value && answer.value.lens.kind === 'heads' && isSameLens(answer.value)
    ? habitOf(found.value, head.value)
    : null,
);

const isSameLens = ({ lens }: Answer) => JSON.stringify(lens) === JSON.stringify(head.value.lens);

/** Without a ranking only the inspector asks: when nobody has typed for so long, and of texts that take no time. */
const idle = 400;
const idleTokens = 512;

let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const of = reading.value;
  const { serial, lens } = head.value;
  const asked = spec.value;
  const by = order.value;
  const isExplored = panel.value === 'explore';
  clearTimeout(timer);
  // Before the first answer of the engine there is nothing to search.
  if (serial === 0 || phase.value !== 'ready') return;
  // A newer pass is under way, which this would only hold up.
  if (pass.value !== of.pass && JSON.stringify(pass.value) !== JSON.stringify(of.pass)) return;
  const known = answer.peek();
  const isKnown = known?.of === of && isSameLens(known);
  if (isKnown && (by !== 'pair' || isSame(known.spec, asked))) return;
  if (by === null && (!isExplored || of.tokens.length > idleTokens)) return;
  const ask = () =>
    currentEngine()
      ?.call('search', asked)
      .then(
        (result) => {
          if (reading.peek() === of) answer.value = { of, lens, spec: asked, found: result };
        },
        // Something newer was asked for, which asks again.
        () => {},
      );
  if (by) ask();
  else timer = setTimeout(ask, idle);
});

const isSame = (a: Answer['spec'], b: Answer['spec']) => a.from === b.from && a.to === b.to;
