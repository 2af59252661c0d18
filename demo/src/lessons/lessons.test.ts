import { beforeEach, describe, expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import { examplePass } from '../example';
import { lessonIds } from '../state/lessons';
import { panel } from '../state/panel';
import * as request from '../state/request';
import { lessons } from './lessons';
import { inOrder, scrambled } from './order';

const { text, model, length, mask, ablated, temperature, lensKind, weighting, separatorsHidden, place } = request;

test('each id has its lesson, in order', () => {
  expect(lessons.map(({ id }) => id)).toEqual(lessonIds);
});

test.each(lessons)('$id says it in 60 words', ({ body }) => {
  const words = body.split(/\s+/);
  expect(words.length).toBeGreaterThan(20);
  expect(words.length).toBeLessThanOrEqual(60);
});

test.each(lessons)('$id may stand in an address and has something to try', ({ id, tries }) => {
  expect(id).toMatch(/^[a-z-]{1,40}$/);
  expect(tries.length).toBeGreaterThan(0);
});

test('the scrambled sentence has the same words', () => {
  const sorted = (sentence: string) =>
    sentence
      .toLowerCase()
      .match(/\w+|\./g)
      ?.sort();
  expect(sorted(scrambled)).toEqual(sorted(inOrder));
  expect(scrambled).not.toBe(inOrder);
});

describe('what is tried', () => {
  // As far from the beginning as the page can be.
  beforeEach(() => {
    text.value = 'Something else.';
    model.value = 'long';
    length.value = 512;
    mask.value = { ...noMask, window: 2 };
    ablated.value = [[0, 0]];
    temperature.value = 2;
    lensKind.value = 'rollout';
    weighting.value = 'value';
    separatorsHidden.value = true;
    place.value = { layer: 5, head: 11 };
    panel.value = 'learn';
  });

  const attempt = (id: string, n: number) => lessons.find((lesson) => lesson.id === id)?.tries[n - 1].apply();
  const asOpened = () => {
    expect(request.pass.value).toEqual(examplePass);
    expect(request.lens.value).toEqual({ kind: 'heads', weighting: 'attention', hideSeparators: false });
  };
  const plainHead = (layer: number, head: number) => {
    expect(request.lens.value).toEqual({ kind: 'heads', weighting: 'attention', hideSeparators: false });
    expect(place.value).toEqual({ layer, head });
    expect(model.value).toBe('int8');
    expect(text.value).toBe('Something else.');
  };

  test('pronoun', () => {
    length.value = 4096;
    attempt('pronoun', 1);
    asOpened();
    expect(place.value).toEqual({ layer: 3, head: 1 });
    attempt('pronoun', 2);
    expect(text.value).toBe('The animal did not cross the street because it was too wide.');
  });

  test('query-key-value leads to Explore', () => {
    length.value = 4096;
    attempt('query-key-value', 1);
    asOpened();
    expect(panel.value).toBe('explore');
  });

  test('many-heads', () => {
    const heads = [
      [0, 2],
      [1, 8],
      [4, 5],
      [0, 3],
    ];
    for (const [i, [layer, head]] of heads.entries()) {
      attempt('many-heads', i + 1);
      plainHead(layer, head);
    }
  });

  test('causal-mask keeps the rest of the mask', () => {
    attempt('causal-mask', 1);
    expect(mask.value).toEqual({ ...noMask, window: 2, causal: true });
    expect(model.value).toBe('int8');
    attempt('causal-mask', 2);
    expect(mask.value).toEqual({ ...noMask, window: 2 });
  });

  test('positions', () => {
    attempt('positions', 1);
    expect(request.pass.value).toMatchObject({ text: scrambled, model: 'int8', mask: noMask, temperature: 1 });
    attempt('positions', 2);
    expect(request.pass.value).toMatchObject({ text: scrambled, model: 'no-positions' });
    attempt('positions', 3);
    expect(request.pass.value).toMatchObject({ text: inOrder, model: 'int8' });
    attempt('positions', 2);
    attempt('positions', 1);
    expect(request.pass.value).toMatchObject({ text: scrambled, model: 'no-positions' });
  });

  test('cost', () => {
    attempt('cost', 1);
    expect(request.pass.value).toMatchObject({ model: 'long', length: 4096, mask: noMask });
    attempt('cost', 2);
    asOpened();
  });

  test('explanation', () => {
    attempt('explanation', 1);
    plainHead(2, 7);
    attempt('explanation', 2);
    expect(place.value).toEqual({ layer: 2, head: 7 });
    expect(request.lens.value).toEqual({ kind: 'heads', weighting: 'value', hideSeparators: false });
  });

  test('float16 stays float16', () => {
    model.value = 'float16';
    attempt('explanation', 1);
    expect(model.value).toBe('float16');
  });
});
