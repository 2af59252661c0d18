import { batch } from '@preact/signals';
import { examplePass } from '../example';
import { fromHash, type Shared, toHash } from '../share/address';
import { lesson } from './lessons';
import { locked, lockIn } from './pairs';
import { panel } from './panel';
import {
  ablated,
  length,
  lens,
  lensKind,
  mask,
  model,
  pass,
  place,
  separatorsHidden,
  temperature,
  text,
  weighting,
} from './request';

/** What is on screen, as an address; the text only if `withText`. */
export function addressOf(withText: boolean): string {
  // Without its text a pair would point at other words; the opening sentence is everyone's.
  const isKnown = withText || text.value === examplePass.text;
  const hash = toHash({
    ...(withText && { text: text.value }),
    // A model of one's own is on this machine alone.
    model: model.value === 'own' ? 'int8' : model.value,
    length: length.value,
    mask: mask.value,
    ablated: ablated.value,
    temperature: temperature.value,
    lens: lens.value,
    place: place.value,
    panel: panel.value,
    lesson: lesson.value,
    ...(isKnown && { locked: locked.value }),
  });
  return `${location.href.replace(/#.*/, '')}#${hash}`;
}

/** Takes on what the address of the page says, if it says anything. */
export function readAddress(): void {
  if (location.hash.length < 2) return;
  const shared = fromHash(location.hash);
  batch(() => {
    apply(shared);
  });
}

function apply(shared: Partial<Shared>): void {
  const { text: itsText, lens: itsLens } = shared;
  if (itsText !== undefined) text.value = itsText;
  if (shared.model) model.value = shared.model;
  if (shared.length) length.value = shared.length;
  if (shared.mask) mask.value = shared.mask;
  if (shared.ablated) ablated.value = shared.ablated;
  if (shared.temperature) temperature.value = shared.temperature;
  if (itsLens) {
    lensKind.value = itsLens.kind;
    separatorsHidden.value = itsLens.hideSeparators;
    weighting.value = itsLens.weighting;
  }
  if (shared.place) place.value = shared.place;
  if (shared.locked) lockIn(pass.peek().text, shared.locked);
  if (shared.panel) panel.value = shared.panel;
  if (shared.lesson) lesson.value = shared.lesson;
}
