// The package in every engine there is: that it runs, and that `deterministic` gives the same bits in all of them.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../scripts/lib/serve.mjs';
import { launch, engines as pages } from '../browser/drivers/index.mjs';
import { askRuntime, runtimes } from './runtimes.mjs';
import { torture } from './torture/judge.js';
import { table } from './torture/table.js';

let server;
let expected;
beforeAll(async () => {
  server = await serve({ root: fileURLToPath(new URL('../..', import.meta.url)) });
  expected = await askRuntime('this Node.js', 'digests', { deterministic: true });
});
afterAll(() => server?.close());

async function askPage(engine, name, ...args) {
  const browser = await launch(engine);
  try {
    await browser.open(`${server.url}tests/engines/page/index.html`);
    await browser.waitFor(() => 'checks' in globalThis);
    return await browser.evaluate((check, ...rest) => globalThis.checks[check](...rest), name, ...args);
  } finally {
    await browser.close();
  }
}

/** How many of the cases came out otherwise than expected, and the first that did. */
function differing(found) {
  expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
  const others = found.filter(([, digest], n) => digest !== expected[n][1]);
  return { cases: others.length, first: others[0]?.[0] };
}
const none = { cases: 0, first: undefined };

describe('deterministic: the same bits as in this Node.js', () => {
  test('every case has a name and a result of its own', () => {
    expect(expected.length).toBeGreaterThan(450);
    for (const part of [0, 1]) expect(new Set(expected.map((one) => one[part])).size).toBe(expected.length);
  });
  test.concurrent.each(runtimes)('%s', async (runtime) => {
    expect(differing(await askRuntime(runtime, 'digests', { deterministic: true }))).toEqual(none);
  });
  test.concurrent.each(runtimes)('%s on two threads', async (runtime) => {
    expect(differing(await askRuntime(runtime, 'digests', { deterministic: true, threads: 2 }))).toEqual(none);
  });
  test.each(pages)('%s', async (page) => {
    expect(differing(await askPage(page, 'digests', { deterministic: true }))).toEqual(none);
  });
  test('which relaxed SIMD does not give: the cases tell engines apart', async () => {
    const found = differing(await askRuntime('Node.js 24', 'digests', { variant: 'relaxed-simd' }));
    expect(found.cases).toBeGreaterThan(expected.length / 2);
  });
});

describe('the package runs without a page', () => {
  // Node.js 20 has relaxed SIMD behind a flag only; the multiply-add of Bun 1.4 is not fused.
  const own = Number.parseInt(process.versions.node, 10) < 22 ? 'simd' : 'relaxed-simd';
  const taken = {
    'this Node.js': own,
    'Node.js 22': 'relaxed-simd',
    'Node.js 24': 'relaxed-simd',
    'Node.js 26': 'relaxed-simd',
  };
  test.concurrent.each(Object.entries({ ...taken, Deno: 'relaxed-simd', Bun: 'simd' }))(
    '%s takes %s',
    async (runtime, variant) => {
      expect(await askRuntime(runtime, 'variant')).toEqual({ variant, firstRow: [1, 0] });
    },
  );
});

test('Bun runs relaxed SIMD where it is named: its multiply-add is not fused, but right', async () => {
  const variant = 'relaxed-simd';
  expect(await askRuntime('Bun', 'variant', { variant })).toEqual({ variant, firstRow: [1, 0] });
});

describe('inputs that break attention elsewhere', () => {
  const judge = ({ variant, found }) => {
    expect(found.length).toBe(table.length);
    const shares = found.flatMap(([, ...three]) => three);
    console.log(`${variant}: ${found.length} cases, at most ${Math.max(...shares).toFixed(2)} of what is allowed`);
    expect(found.filter(([, ...three]) => !three.every((share) => typeof share === 'number' && share <= 1))).toEqual(
      [],
    );
  };
  test('an engine that gives nothing but NaN fails every case', async () => {
    const nothing = ({ shape }) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)).fill(Number.NaN) });
    const engine = {
      info: { variant: 'none' },
      dispose() {},
      scaledDotProductAttention: (q, k, v) => ({
        output: nothing({ shape: [q.shape[0], q.shape[1], v.shape[2]] }),
        weights: nothing({ shape: [q.shape[0], q.shape[1], k.shape[1]] }),
        logSumExp: nothing({ shape: [q.shape[0], q.shape[1]] }),
      }),
    };
    const { found } = JSON.parse(JSON.stringify(await torture({ createAttention: () => engine })));
    expect(found.filter(([, ...three]) => three.every((share) => share <= 1))).toEqual([]);
  });
  // Node.js 24: the one that runs these tests may have relaxed SIMD behind a flag.
  test.each(['simd', 'relaxed-simd'])('Node.js, %s', async (variant) => {
    judge(await askRuntime('Node.js 24', 'torture', { variant }));
  });
  test.each(pages)('%s, simd', async (page) => judge(await askPage(page, 'torture', { variant: 'simd' })));
  test.each(['chromium', 'firefox'])('%s, relaxed SIMD', async (page) => {
    judge(await askPage(page, 'torture', { variant: 'relaxed-simd' }));
  });
});

describe('a worker, with no memory shared', () => {
  // What is promised is 50 ms, of a call of a second and more. Of work and not of time: other programs have the processors as well.
  const good = { isSame: true, codes: ['ABORTED'], freeFirst: 5 };
  test.each(runtimes)('%s', async (runtime) => {
    expect(await askRuntime(runtime, 'worker', { variant: 'simd', threads: 1 })).toEqual({ ...good, variant: 'simd' });
  });
  test.each(pages)('%s', async (page) => {
    expect(await askPage(page, 'worker', { variant: 'simd', threads: 1 })).toEqual({ ...good, variant: 'simd' });
  });
});
