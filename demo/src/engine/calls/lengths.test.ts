import { expect, test } from 'vitest';
import { type Calls, measure, type Point, type Way } from './lengths';

/** Calls that take as long as they say. */
function pretend(cost: Record<Way, (tokens: number) => number>) {
  let time = 0;
  const live = new Set<number>();
  const prepare = (tokens: number): Calls => {
    live.add(tokens);
    const call = (way: Way) => () => {
      time += cost[way](tokens);
    };
    return {
      calls: { full: call('full'), window: call('window'), linear: call('linear') },
      free: () => live.delete(tokens),
    };
  };
  return { prepare, live, now: () => time };
}

const usual = {
  full: (tokens: number) => (tokens / 128) ** 2 * 0.1,
  window: (tokens: number) => (tokens / 128) * 0.3,
  linear: (tokens: number) => (tokens / 128) * 0.1,
};

test('finds what each call takes, at every length', async () => {
  const { prepare, live, now } = pretend(usual);
  const told: Point[] = [];
  const points = await measure(prepare, (point) => told.push(point), new AbortController().signal, now);
  expect(told).toEqual(points);
  expect([...new Set(points.map(({ tokens }) => tokens))]).toEqual([128, 256, 512, 1024, 2048, 4096, 8192]);
  expect(points).toHaveLength(7 * 3);
  for (const { way, tokens, milliseconds } of points)
    expect(Math.abs(milliseconds / usual[way](tokens) - 1)).toBeLessThanOrEqual(1e-9);
  expect(live.size).toBe(0);
});

test('asks nothing that would hold up typing', async () => {
  const slow = { ...usual, full: (tokens: number) => (tokens / 128) ** 2 * 2 };
  const { prepare, now } = pretend(slow);
  const points = await measure(prepare, () => {}, new AbortController().signal, now);
  const full = points.filter(({ way }) => way === 'full');
  // 2, 8, 32, 128, 512; the next would take 2048.
  expect(full.map(({ tokens }) => tokens)).toEqual([128, 256, 512, 1024, 2048]);
  expect(Math.max(...points.map(({ milliseconds }) => milliseconds))).toBeLessThan(700);
  expect(points.filter(({ way }) => way === 'linear')).toHaveLength(7);
});

test('stopped, it keeps what it has and frees the rest', async () => {
  const { prepare, live, now } = pretend(usual);
  const controller = new AbortController();
  const points = await measure(
    prepare,
    ({ tokens, way }) => tokens === 256 && way === 'linear' && controller.abort(),
    controller.signal,
    now,
  );
  expect(points).toHaveLength(6);
  expect(live.size).toBe(0);
});
