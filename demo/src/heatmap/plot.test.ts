import { expect, test } from 'vitest';
import { following, inSight, labelText, plotOf, wholeOf, zoomed } from './plot';

const tokens = (count: number) => Array.from({ length: count }, () => 'token');

test('cells and labels fill the frame exactly', () => {
  for (const count of [2, 15, 128]) {
    const { left, top, cellWidth, cellHeight } = plotOf(880, 270, tokens(count), wholeOf(count));
    expect(left + cellWidth * count).toBeCloseTo(880);
    expect(top + cellHeight * count).toBeCloseTo(270);
  }
});

test('labels and numbers give way as cells shrink', () => {
  expect(plotOf(880, 270, tokens(15), wholeOf(15))).toMatchObject({
    rowLabels: true,
    columnLabels: 'flat',
    numbers: true,
  });
  expect(plotOf(880, 160, tokens(15), wholeOf(15))).toMatchObject({
    rowLabels: false,
    columnLabels: 'flat',
    numbers: false,
  });
  expect(plotOf(880, 270, tokens(40), wholeOf(40))).toMatchObject({
    rowLabels: false,
    columnLabels: 'upright',
    numbers: false,
  });
  expect(plotOf(880, 270, tokens(128), wholeOf(128))).toMatchObject({
    rowLabels: false,
    columnLabels: 'none',
    numbers: false,
  });
});

test('a long label ends in an ellipsis', () => {
  expect(labelText('##graphically')).toBe('graphical…');
  expect(labelText('animal')).toBe('animal');
  expect(labelText('אבגדהוזחטיכ')).toBe('\u2068אבגדהוזחט…\u2069');
});

test('a zoom keeps the point it is about, stays inside, and comes back to the whole', () => {
  const window = zoomed(wholeOf(100), 0.5, 30, 80, 100);
  expect(window).toEqual({ top: 15, left: 40, rows: 50, columns: 50 });
  expect(zoomed(window, 0.5, 99, 99, 100)).toEqual({ top: 57, left: 69.5, rows: 25, columns: 25 });
  expect(zoomed(window, 100, 30, 80, 100)).toEqual(wholeOf(100));
  expect(zoomed(wholeOf(3), 0.1, 1, 1, 3)).toEqual(wholeOf(3));
});

test('a window follows a cell just so far that it is in sight', () => {
  const window = { top: 10, left: 10, rows: 5, columns: 5 };
  expect(following(window, 12, 14, 100)).toEqual(window);
  expect(following(window, 15, 9, 100)).toEqual({ ...window, top: 11, left: 9 });
  expect(inSight(10.5, 5, 100)).toEqual([10, 16]);
});
