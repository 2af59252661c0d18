// The packed package through every bundler there is, in a real page each: one attention and one encoder layer, right
// numbers, one module and one glue fetched.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { contentSecurityPolicy, isolation, serve } from '../../../scripts/lib/serve.mjs';
import { launchBrowser } from '../../browser/drivers/chromium.mjs';
import { launch, locate, violationPath } from '../../browser/drivers/index.mjs';
import { node24 } from '../../engines/runtimes.mjs';
import { waitTimeout } from '../../patience.mjs';
import { refused, right, rightRemote } from '../one-script.mjs';

const project = inject('project');
const require = createRequire(join(project, 'package.json'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return module.default ?? module;
};
const run = promisify(execFile);
const installed = join(project, 'node_modules/attention-wasm/dist');

/** For bundlers that do not know a worker by its address: its script is one more. */
const entries = {
  page: join(project, 'page.js'),
  remote: join(project, 'remote.js'),
  'worker-entry': join(installed, 'worker-entry.js'),
};

/** A text of the glue that no minifier changes. */
const ofGlue = 'Mismatched type converter count';

let browser;
beforeAll(async () => {
  browser = await launch('chromium');
});
afterAll(() => browser?.close());

/** Opens a page of the project and judges what it says and what it asked for. */
async function judge(url) {
  await browser.open(url);
  const result = await browser.waitFor(() => globalThis.result);
  expect(result).toMatchObject({ variant: 'relaxed-simd', shape: [2, 9, 12], tensors: ['answer'] });
  expect(result.difference).toBeLessThanOrEqual(4e-6);
  expect(result.encoder).toBeLessThanOrEqual(2e-5);
  const asked = browser.requests();
  expect(asked.filter((address) => new URL(address).pathname.endsWith('.wasm'))).toHaveLength(1);
  const scripts = [...new Set(asked.filter((address) => /\.m?js($|\?)/.test(address)))];
  const texts = await Promise.all(scripts.map(async (address) => (await fetch(address)).text()));
  expect(texts.filter((text) => text.includes(ofGlue))).toHaveLength(1);
  expect(browser.foreignRequests()).toEqual([]);
}

/** The same of an engine in a worker. */
async function judgeRemote(url, variant = 'relaxed-simd') {
  await browser.open(url);
  const result = await browser.waitFor(() => globalThis.result);
  expect(result).toMatchObject({ variant });
  expect(result.difference).toBeLessThanOrEqual(4e-6);
  // None, where the page before it has fetched the same for ever.
  const modules = browser.requests().filter((address) => new URL(address).pathname.endsWith('.wasm'));
  expect(modules.length).toBeLessThanOrEqual(1);
  expect(browser.foreignRequests()).toEqual([]);
}

/** Two pages that load one script each, beside the bundle. */
function writePages(folder, scripts) {
  for (const [page, names] of Object.entries(scripts)) {
    const tags = names.map((name) => `<script type="module" src="${name}"></script>`).join('');
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>bundled</title><link rel="icon" href="data:,">${tags}</html>`;
    writeFileSync(join(folder, `${page}.html`), html);
  }
}

/** Under the strictest policy, from a sub-path; isolated, so that there are threads. */
async function judgeFolder(folder, policy = contentSecurityPolicy) {
  const headers = { 'content-security-policy': `${policy}; report-uri ${violationPath}`, ...isolation };
  const server = await serve({ root: folder, base: '/some/where/', headers });
  try {
    await judge(server.url);
    expect(browser.violations()).toEqual([]);
    await judgeRemote(`${server.url}remote.html`);
    expect(browser.violations()).toEqual([]);
    await judgeRemote(`${server.url}remote.html?threads=2`, 'relaxed-simd-threads');
    expect(browser.violations()).toEqual([]);
  } finally {
    await server.close();
  }
}

test('Vite, as it serves while one develops', async () => {
  const server = await createServer({ root: project, configFile: false, logLevel: 'warn', server: { port: 0 } });
  try {
    await server.listen();
    const [url] = server.resolvedUrls.local;
    await judge(url);
    await judgeRemote(`${url}remote.html`);
  } finally {
    await server.close();
  }
});

test('webpack', async () => {
  const webpack = await load('webpack');
  const output = { path: join(project, 'dist-webpack'), publicPath: 'auto', filename: '[name].js' };
  const entry = { index: './page.js', remote: './remote.js' };
  const config = { context: project, entry, mode: 'production', output, performance: { hints: false } };
  const stats = await promisify(webpack)(config);
  expect(stats.toJson().errors.map(({ message }) => message)).toEqual([]);
  expect(stats.toJson().warnings.map(({ message }) => message)).toEqual([]);
  writePages(output.path, { index: ['index.js'], remote: ['remote.js'] });
  await judgeFolder(output.path);
});

test('Rollup', async () => {
  const { rollup } = await load('rollup');
  const resolve = await load('@rollup/plugin-node-resolve');
  const { importMetaAssets } = await import(
    pathToFileURL(require.resolve('@web/rollup-plugin-import-meta-assets')).href
  );
  const warnings = [];
  const bundle = await rollup({
    input: entries,
    plugins: [(resolve.nodeResolve ?? resolve)({ browser: true }), importMetaAssets()],
    onwarn: ({ message }) => warnings.push(message),
  });
  const dir = join(project, 'dist-rollup');
  await bundle.write({ dir, format: 'es' });
  expect(warnings).toEqual([]);
  writePages(dir, { index: ['page.js'], remote: ['worker-address.js', 'remote.js'] });
  writeFileSync(join(dir, 'worker-address.js'), "globalThis.workerAddress = './worker-entry.js'");
  await judgeFolder(dir);
});

test('Parcel', async () => {
  const core = await load('@parcel/core');
  const Parcel = core.default ?? core;
  const distDir = join(project, 'dist-parcel');
  const pages = ['index.html', 'remote.html'];
  await new Parcel({
    entries: pages.map((page) => join(project, page)),
    defaultConfig: require.resolve('@parcel/config-default'),
    defaultTargetOptions: { distDir, publicUrl: './', shouldOptimize: true, sourceMaps: false },
    mode: 'production',
    cacheDir: join(project, '.parcel-cache'),
  }).run();
  // Parcel writes an import map into each page, which the policy allows by its hash, as the guide says.
  const hashes = pages.map((page) => {
    const [, map] = readFileSync(join(distDir, page), 'utf8').match(/<script type="?importmap"?>(.*?)<\/script>/);
    return `'sha256-${createHash('sha256').update(map).digest('base64')}'`;
  });
  await judgeFolder(distDir, contentSecurityPolicy.replace("script-src 'self'", `$& ${hashes.join(' ')}`));
});

test('esbuild, with its modules copied beside it as the guide says', async () => {
  const { build } = await load('esbuild');
  const outdir = join(project, 'dist-esbuild/assets');
  const { warnings } = await build({
    entryPoints: entries,
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: true,
    outdir,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  for (const name of readdirSync(installed)) {
    if (/\.wasm$|^attention-threads-module\.js$/.test(name)) cpSync(join(installed, name), join(outdir, '..', name));
  }
  writePages(join(outdir, '..'), {
    index: ['assets/page.js'],
    remote: ['worker-address.js', 'assets/remote.js'],
  });
  writeFileSync(join(outdir, '../worker-address.js'), "globalThis.workerAddress = './assets/worker-entry.js'");
  await judgeFolder(join(outdir, '..'));
});

describe('Next.js', () => {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined };
  const cli = join(project, 'node_modules/next/dist/bin/next');

  /** A command of Next that serves, until it is ended. */
  async function serving(command, port, program = process.execPath) {
    const child = spawn(program, [cli, command, '-p', String(port)], { cwd: project, env, detached: true });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        printed += data;
      });
    }
    for (const deadline = Date.now() + waitTimeout; !/Ready in/.test(printed); ) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`next ${command}:\n${printed}`);
      await sleep(100);
    }
    return { url: `http://localhost:${port}/`, close: () => process.kill(-child.pid) };
  }

  test('built: rendered on the server, then in the page', async () => {
    await run(process.execPath, [cli, 'build'], { cwd: project, env });
    const server = await serving('start', 4310);
    try {
      expect(await (await fetch(server.url)).text()).toContain('loading');
      await judge(server.url);
      await judgeRemote(`${server.url}remote`);
    } finally {
      server.close();
    }
  });

  // The edge runtime compiles every variant that the package names, so Node.js must know them all: from 22 on.
  test.each([
    ['bundled', undefined],
    ['left to Node.js', 'attention-wasm'],
  ])('in routes of the server, %s, and of the edge', async (_, external) => {
    cpSync(join(import.meta.dirname, 'next-routes'), join(project, 'app/api'), { recursive: true });
    const building = { cwd: project, env: { ...env, ...(external && { EXTERNAL: external }) } };
    let server;
    try {
      await run(node24, [cli, 'build'], building);
      server = await serving('start', 4312, node24);
      const ask = async (route) => (await fetch(`${server.url}api/${route}`)).json();
      const engine = await right({ variant: 'simd' });
      const one = (reason) => ({ ...engine, threadsReason: expect.stringMatching(reason) });
      expect(await ask('node')).toEqual({
        engine,
        auto: external ? { ...engine, variant: 'simd-threads', threads: expect.any(Number) } : one(/could not load/),
        worker: external
          ? rightRemote({ variant: 'simd' })
          : refused('LOAD_FAILED', /could not start a worker.*options\.worker/),
      });
      expect(await ask('edge')).toEqual({
        engine,
        auto: one(/cannot start workers/),
        none: refused('LOAD_FAILED', /options\.wasm/),
        worker: refused('LOAD_FAILED', /could not start a worker/),
      });
    } finally {
      server?.close();
      rmSync(join(project, 'app/api'), { recursive: true });
    }
  });

  test('under development, where strict mode mounts everything twice: a hundred mounts leave nothing', async () => {
    const server = await serving('dev', 4311);
    const chromium = await launchBrowser({ ...locate('chromium'), more: ['--js-flags=--expose-gc'] });
    try {
      const page = await chromium.newPage();
      const modules = [];
      page.on('request', (request) => request.url().includes('.wasm') && modules.push(request.url()));
      await page.addInitScript(watchInstances);
      await page.goto(server.url);
      for (let mount = 1; mount <= 100; mount++) {
        await page.waitForFunction((count) => globalThis.loaded === count || globalThis.result?.error, mount);
        expect(await page.evaluate(() => globalThis.result)).toMatchObject({ variant: 'relaxed-simd' });
        await page.evaluate((next) => globalThis.setMount(next), mount < 100 ? mount : null);
      }
      await page.waitForFunction(() => document.body.textContent.includes('unmounted'));
      const { made, left } = await page.evaluate(() => globalThis.instances());
      console.log(`${made} instances made, ${left} left`);
      expect(made).toBeGreaterThanOrEqual(100);
      expect(left).toBe(0);
      expect(modules).toHaveLength(1);
    } finally {
      await chromium.close();
      server.close();
    }
  });
});

/** Runs in the page before anything else: `instances` tells how many of WebAssembly were made, and how many are still held. */
function watchInstances() {
  const made = [];
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const genuine = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await genuine.apply(WebAssembly, args);
      made.push(new WeakRef(result.instance ?? result));
      return result;
    };
  }
  WebAssembly.Instance = class extends WebAssembly.Instance {
    constructor(...args) {
      super(...args);
      made.push(new WeakRef(this));
    }
  };
  globalThis.instances = async () => {
    // What a task has looked at is held until it ends.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((done) => setTimeout(done, 50));
      globalThis.gc();
    }
    return { made: made.length, left: made.filter((ref) => ref.deref()).length };
  };
}
