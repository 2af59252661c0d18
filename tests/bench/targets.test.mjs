import { expect, test } from 'vitest';
import { judged, targets } from '../../bench/targets.mjs';

const spread = (median) => ({ median, low: median, high: median });
const attention = (who, length, mask, faster) => ({ who, length, mask, faster: spread(faster) });

const find = (rows, what) => rows.find((row) => row.what === what);

test('the worst case decides', () => {
  const rows = judged({
    attention: [
      attention('relaxed-simd', 128, 'full', 2.5),
      attention('relaxed-simd', 512, 'full', 2.1),
      attention('relaxed-simd', 4096, 'full', 1),
      attention('simd', 128, 'full', 1.75),
      { who: 'onnxruntime-web', length: 128, mask: 'full' },
    ],
  });
  const wanted = 'attention, times onnxruntime-web, relaxed-simd';
  expect(find(rows, wanted)).toMatchObject({ wanted: '≥ 2.2', measured: spread(2.1), place: '512 tokens', met: 'NO' });
  expect(find(rows, 'attention, times onnxruntime-web, simd').met).toBe('yes');
});

test('what is too large misses its target, what was not measured does not', () => {
  const rows = judged({ sizes: [{ file: 'attention-simd.wasm', raw: 150_001, brotli: 60_000 }] }, ['sizes']);
  expect(rows.map(({ met, measured }) => [measured, met])).toEqual([
    [150_001, 'NO'],
    [60_000, 'yes'],
    ['not measured', ''],
  ]);
});

test('NaN is no figure that meets a target', () => {
  const [row] = judged({ growth: [{ variant: 'relaxed-simd', length: 32_768, ratio: spread(Number.NaN) }] }, [
    'growth',
  ]);
  expect(row.met).toBe('NO');
});

test('each target has one bound', () => {
  for (const { atLeast, atMost } of targets) expect((atLeast === undefined) !== (atMost === undefined)).toBe(true);
});
