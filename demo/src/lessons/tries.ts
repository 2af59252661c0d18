import { batch } from '@preact/signals';
import { noMask } from '../engine/mask';
import { lockIn } from '../state/pairs';
import { panel } from '../state/panel';
import {
  ablated,
  length,
  lensKind,
  mask,
  model,
  openHead,
  separatorsHidden,
  temperature,
  text,
  weighting,
} from '../state/request';
import { inOrder, scrambled } from './order';

// What the buttons of the lessons do: each sets what the visitor could have set by hand.

/** As the page opens, but for the head and the text. */
function unchanged(): void {
  model.value = 'int8';
  mask.value = noMask;
  ablated.value = [];
  temperature.value = 1;
  plainWeights();
}

function plainWeights(): void {
  lensKind.value = 'heads';
  weighting.value = 'attention';
  separatorsHidden.value = false;
}

/** The heads that the lessons speak of are MiniLM's. */
function readByMinilm(): void {
  if (model.peek() !== 'float16') model.value = 'int8';
}

/** Of the opening sentence's words, however they are ordered. */
function pairIn(sentence: string) {
  const words: readonly string[] = sentence.toLowerCase().match(/\w+|\./g) ?? [];
  // [CLS] comes first.
  return { query: 1 + words.indexOf('it'), key: 1 + words.indexOf('animal') };
}

function read(sentence: string): void {
  text.value = sentence;
  lockIn(sentence, [pairIn(sentence)]);
}

export const wide = inOrder.replace('tired', 'wide');

export const openPronoun = () =>
  batch(() => {
    unchanged();
    openHead(3, 1);
    read(inOrder);
  });

export const openWide = () =>
  batch(() => {
    unchanged();
    openHead(3, 1);
    read(wide);
  });

export const openSteps = () =>
  batch(() => {
    openPronoun();
    panel.value = 'explore';
  });

export const openMinilmHead = (layer: number, head: number) =>
  batch(() => {
    readByMinilm();
    plainWeights();
    openHead(layer, head);
  });

export const setCausal = (causal: boolean) =>
  batch(() => {
    if (causal) readByMinilm();
    mask.value = { ...mask.peek(), causal };
  });

export const scramble = () =>
  batch(() => {
    const now = model.peek();
    unchanged();
    if (now === 'no-positions') model.value = now;
    read(scrambled);
  });

export const takePositions = () =>
  batch(() => {
    const now = text.peek();
    unchanged();
    model.value = 'no-positions';
    if (now !== inOrder && now !== scrambled) read(inOrder);
  });

export const restore = () =>
  batch(() => {
    unchanged();
    read(inOrder);
  });

export const openLong = () =>
  batch(() => {
    unchanged();
    length.value = 4096;
    model.value = 'long';
  });

export const openResting = () => openMinilmHead(2, 7);

export const weighByValue = () =>
  batch(() => {
    openResting();
    weighting.value = 'value';
  });
