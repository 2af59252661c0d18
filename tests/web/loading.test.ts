import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createAttention, type LoadOptions } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { bytesOf, dist, failure, fileOf, works } from './loaded.ts';
import { allVariants, load } from './variants.ts';

const needsFlag = Number(process.versions.node.split('.')[0]) < 22;

describe.each(allVariants)('loading %s', (variant) => {
  test('by name', async () => {
    const engine = await createAttention(load(variant));
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(engine.info.variant).toBe(variant);
    expect(engine.info.version).toBe(version);
    expect(engine.info.threads).toBe(load(variant).threads ?? 1);
    expect(engine.info.threadsReason).toBe(undefined);
    expect(engine.info.memoryBytes).toBeGreaterThan(0);
    works(engine);
    engine.dispose();
  });

  const url = pathToFileURL(dist + fileOf(variant));
  const shifted = () => {
    const bytes = bytesOf(variant);
    const within = new Uint8Array(bytes.length + 7);
    within.set(bytes, 3);
    return within.subarray(3, 3 + bytes.length);
  };
  test.each([
    ['Uint8Array', () => bytesOf(variant)],
    ['a part of a larger buffer', shifted],
    ['ArrayBuffer', () => bytesOf(variant).buffer],
    ['WebAssembly.Module', () => new WebAssembly.Module(bytesOf(variant))],
    ['Response', () => new Response(bytesOf(variant), { headers: { 'content-type': 'application/wasm' } })],
    [
      'Response of another type',
      () => new Response(bytesOf(variant), { headers: { 'content-type': 'application/octet-stream' } }),
    ],
    ['URL', () => url],
    ['string', () => url.href],
    ['function giving a URL', () => (file: string) => new URL(file, url)],
    ['function giving a string', () => (file: string) => new URL(file, url).href],
  ] as [string, () => LoadOptions['wasm']][])('from %s', async (_, wasm) => {
    const engine = await createAttention({ ...load(variant), wasm: wasm() as never });
    expect(engine.info.variant).toBe(variant);
    works(engine);
    engine.dispose();
  });
  test('the function is asked for the file by its name', async () => {
    const asked: string[] = [];
    const wasm = (file: string) => {
      asked.push(file);
      return new URL(file, url);
    };
    (await createAttention({ ...load(variant), wasm })).dispose();
    expect(asked).toEqual([fileOf(variant)]);
  });

  test.each([
    ['text', () => new TextEncoder().encode('<!doctype html><title>not found</title>')],
    ['nothing', () => new Uint8Array()],
    ['half a module', () => bytesOf(variant).subarray(0, 5000)],
    ['another module', () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
    ['a missing file', () => new URL('missing.wasm', url)],
    ['a failed response', () => new Response('gone', { status: 404 })],
    [
      'a function that throws',
      () => () => {
        throw new Error('no such place');
      },
    ],
  ] as [string, () => LoadOptions['wasm']][])(
    '%s instead of the module is LOAD_FAILED, and the next try succeeds',
    async (_, wasm) => {
      const error = await failure({ ...load(variant), wasm: wasm() });
      expect([error.code, error.message]).toEqual(['LOAD_FAILED', error.message]);
      expect(error.message.length).toBeGreaterThan(20);
      const engine = await createAttention(load(variant));
      works(engine);
      engine.dispose();
    },
  );
  test('HTML for bytes is told by its beginning', async () => {
    const error = await failure({ ...load(variant), wasm: new TextEncoder().encode('<!doctype html>') });
    expect(error.message).toMatch(/<!doctype|3c 21 64/i);
  });

  test('no code is made from text', async () => {
    const flags = [
      '--disallow-code-generation-from-strings',
      ...(needsFlag ? ['--experimental-wasm-relaxed-simd'] : []),
    ];
    const { first, variant: ran } = await run('no-eval.mjs', flags, variant);
    expect(ran).toBe(variant);
    expectClose({ data: first as unknown as number[], shape: [2] }, { data: [1, 2], shape: [2] }, 1e-6);
  });
});

async function run(fixture: string, flags: string[], ...rest: string[]): Promise<Record<string, string>> {
  const path = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, path, ...rest]);
  return JSON.parse(stdout) as Record<string, string>;
}

describe('choosing a variant', () => {
  test('auto takes the faster one that works here', async () => {
    const engine = await createAttention();
    expect(engine.info.variant).toBe('relaxed-simd');
    works(engine);
    engine.dispose();
  });
  test.each<LoadOptions>([
    { deterministic: true },
    { deterministic: true, variant: 'auto' },
    { deterministic: true, variant: 'simd' },
    { deterministic: true, wasm: bytesOf('simd') },
  ])('deterministic takes the plain one: %o', async (options) => {
    const engine = await createAttention(options);
    expect(engine.info.variant).toBe('simd');
    works(engine);
    engine.dispose();
  });
  test('deterministic: false is as if not given', async () => {
    const engine = await createAttention({ deterministic: false });
    expect(engine.info.variant).toBe('relaxed-simd');
    engine.dispose();
    const relaxed = await createAttention({ deterministic: false, variant: 'relaxed-simd' });
    expect(relaxed.info.variant).toBe('relaxed-simd');
    relaxed.dispose();
  });
  test('where relaxed SIMD is missing, auto does without and its name is refused', async () => {
    const without = await run('variant.mjs', []);
    const relaxed = needsFlag ? 'UNSUPPORTED_ENGINE' : 'relaxed-simd';
    expect(without).toEqual({ auto: needsFlag ? 'simd' : 'relaxed-simd', simd: 'simd', 'relaxed-simd': relaxed });
  });
});

describe('options of loading', () => {
  test.each([
    ['an unknown key', { varient: 'simd' }, 'options.varient', 'variant'],
    ['an unknown variant', { variant: 'scalar' }, 'options.variant', 'scalar'],
    ['no threads', { threads: 0 }, 'options.threads', '0'],
    ['half a thread', { threads: 1.5 }, 'options.threads', '1.5'],
    ['threads without end', { threads: 65 }, 'options.threads', '64'],
    ['threads by text', { threads: '2' }, 'options.threads', "'2'"],
    ['threads beside a variant without', { threads: 4, variant: 'simd' }, 'options.threads', "'simd'"],
    ['one thread beside a variant of several', { threads: 1, variant: 'simd-threads' }, 'options.threads', '2 or more'],
    ['more threads than memory', { threads: 4, maximumMemoryBytes: 4 << 20 }, 'options.threads', 'at most 1'],
    ['one thread with the bytes of several', { wasm: bytesOf('simd-threads') }, 'options.wasm', "'simd'"],
    ['threads with the bytes of one', { threads: 2, wasm: bytesOf('simd') }, 'options.wasm', "'simd-threads'"],
    [
      'the bytes of another variant with threads',
      { threads: 2, variant: 'simd-threads', wasm: bytesOf('relaxed-simd-threads') },
      'options.wasm',
      "'simd-threads'",
    ],
    [
      'deterministic beside the relaxed variant with threads',
      { deterministic: true, variant: 'relaxed-simd-threads' },
      'options.deterministic',
      "'relaxed-simd-threads'",
    ],
    ['deterministic by 1', { deterministic: 1 }, 'options.deterministic', '1'],
    ['deterministic by text', { deterministic: 'true' }, 'options.deterministic', "'true'"],
    ['deterministic by null', { deterministic: null }, 'options.deterministic', 'null'],
    [
      'deterministic beside the relaxed variant',
      { deterministic: true, variant: 'relaxed-simd' },
      'options.deterministic',
      "'relaxed-simd'",
    ],
    [
      'deterministic with the bytes of the relaxed variant',
      { deterministic: true, wasm: bytesOf('relaxed-simd') },
      'options.wasm',
      "'simd'",
    ],
    ['no memory', { maximumMemoryBytes: 0 }, 'options.maximumMemoryBytes', '0'],
    ['NaN memory', { maximumMemoryBytes: NaN }, 'options.maximumMemoryBytes', 'NaN'],
    ['negative memory', { maximumMemoryBytes: -1 }, 'options.maximumMemoryBytes', '-1'],
    ['memory as text', { maximumMemoryBytes: '1 GB' }, 'options.maximumMemoryBytes', '1 GB'],
    ['wasm from a number', { wasm: 7 }, 'options.wasm', '7'],
    ['a signal that is none', { signal: {} }, 'options.signal', 'signal'],
  ])('%s: INVALID_ARGUMENT', async (_, options, argument, word) => {
    const error = await failure(options);
    expect([error.code, error.argument, error.message]).toEqual(['INVALID_ARGUMENT', argument, error.message]);
    expect(error.message).toContain(word);
  });

  test('an aborted signal is ABORTED with its reason', async () => {
    const reason = new Error('changed my mind');
    const error = await failure({ signal: AbortSignal.abort(reason) });
    expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
  });
  test('a signal that aborts while loading', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const wasm = (file: string) => {
      controller.abort(reason);
      return pathToFileURL(dist + file);
    };
    const error = await failure({ wasm, signal: controller.signal });
    expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
    const engine = await createAttention();
    works(engine);
    engine.dispose();
  });
  test('a signal that aborts afterwards changes nothing', async () => {
    const controller = new AbortController();
    const engine = await createAttention({ signal: controller.signal });
    controller.abort();
    works(engine);
    engine.dispose();
  });
});
