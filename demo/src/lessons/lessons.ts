import type { Detector } from '../engine/calls/search';
import type { Place } from '../engine/protocol';
import type { LessonId } from '../state/lessons';
import {
  openLong,
  openMinilmHead,
  openPronoun,
  openResting,
  openSteps,
  openWide,
  restore,
  scramble,
  setCausal,
  takePositions,
  weighByValue,
} from './tries';

export interface Try {
  label: string;
  apply(): void;
  /** A number of one head, to stand beside it. */
  measure?: Place & { by: Detector };
}

export interface Lesson {
  id: LessonId;
  title: string;
  /** At most 60 words. */
  body: string;
  tries: readonly Try[];
}

const habit = (layer: number, head: number, by: Detector, label: string): Try => ({
  label,
  apply: () => openMinilmHead(layer, head),
  measure: { layer, head, by },
});

export const lessons: readonly Lesson[] = [
  {
    id: 'pronoun',
    title: 'Who is “it”?',
    body: 'To read “it”, a model must find out what it stands for. Attention lets every token look at all others and take from each as much as it weighs. Head 1 of layer 3 looks from “it” to “animal”. Nobody told it to: it learned so from text.',
    tries: [
      { label: 'Open “it → animal”', apply: openPronoun },
      { label: 'Say “too wide” instead', apply: openWide },
    ],
  },
  {
    id: 'query-key-value',
    title: 'Query, key, value',
    body: 'Each token makes three lists of numbers. Its query says what it looks for, its key what it offers, its value what it hands over. Query times key, number by number, gives a score. Softmax turns scores into weights that add up to 1, and the output is the values mixed by them.',
    tries: [{ label: 'See all of it in Explore', apply: openSteps }],
  },
  {
    id: 'many-heads',
    title: 'Why many heads?',
    body: 'One softmax makes one mixture. So a layer has many heads, each with queries and keys of its own, and many take up a habit. These four of MiniLM keep theirs on most texts; the numbers are means over yours, beside what an even spread would give.',
    tries: [
      habit(0, 2, 'previous', 'Looks at the token before'),
      habit(1, 8, 'next', 'Looks at the token after'),
      habit(4, 5, 'separators', 'Rests on [CLS] and [SEP]'),
      habit(0, 3, 'entropy', 'Spreads over everything'),
    ],
  },
  {
    id: 'causal-mask',
    title: 'Why a causal mask?',
    body: 'A model that writes must learn without seeing what comes next, or guessing it would teach nothing. A causal mask hides all later tokens: the upper right of the matrix goes dark, and each row shares its weight among what is left. MiniLM reads both ways; below is this head without and with the mask.',
    tries: [
      { label: 'Mask the whole page', apply: () => setCausal(true) },
      { label: 'Take the mask off', apply: () => setCausal(false) },
    ],
  },
  {
    id: 'positions',
    title: 'Does order matter?',
    body: 'Queries and keys made from words alone would see a bag of words. So each token’s position is added to it. Scramble the sentence, and the weight changes. Zero the positions, and two words keep their weight in any order. That model reads MiniLM’s 23 MB once more.',
    tries: [
      { label: 'Scramble the words', apply: scramble },
      { label: 'Take the positions away', apply: takePositions },
      { label: 'Put everything back', apply: restore },
    ],
  },
  {
    id: 'cost',
    title: 'Why does it cost n²?',
    body: 'Every token looks at every other: twice the text, four times the pairs. Measure it here. A window of 64 neighbours either side, or linear attention, which sums keys and values once for all queries, grow only with n, but compute something else. The long sequence has 16.8 million weights, none stored.',
    tries: [
      { label: 'Open 4,096 tokens', apply: openLong },
      { label: 'Back to the sentence', apply: restore },
    ],
  },
  {
    id: 'explanation',
    title: 'Attention is not explanation',
    body: 'A weight tells where a head looks, not what comes of it. Heads with nothing to do often rest on [CLS], whose value is short: much weight, little effect. Weighed by the length of what is handed over, ‖α·v‖, the picture changes. What later layers make of it, no weight tells.',
    tries: [
      { label: 'Open a resting head', apply: openResting },
      { label: 'Weigh by ‖α·v‖', apply: weighByValue },
    ],
  },
];
