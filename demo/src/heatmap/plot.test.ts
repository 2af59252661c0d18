import { expect, test } from 'vitest';
import { labelText, plotOf } from './plot';

const tokens = (count: number) => Array.from({ length: count }, () => 'token');

test('cells and labels fill the frame exactly', () => {
  for (const count of [2, 15, 128]) {
    const { left, top, cellWidth, cellHeight } = plotOf(880, 270, tokens(count));
    expect(left + cellWidth * count).toBeCloseTo(880);
    expect(top + cellHeight * count).toBeCloseTo(270);
  }
});

test('labels and numbers give way as cells shrink', () => {
  expect(plotOf(880, 270, tokens(15))).toMatchObject({ rowLabels: true, columnLabels: 'flat', numbers: true });
  expect(plotOf(880, 160, tokens(15))).toMatchObject({ rowLabels: false, columnLabels: 'flat', numbers: false });
  expect(plotOf(880, 270, tokens(40))).toMatchObject({ rowLabels: false, columnLabels: 'upright', numbers: false });
  expect(plotOf(880, 270, tokens(128))).toMatchObject({ rowLabels: false, columnLabels: 'none', numbers: false });
});

test('a long label ends in an ellipsis', () => {
  expect(labelText('##graphically')).toBe('graphical…');
  expect(labelText('animal')).toBe('animal');
});
