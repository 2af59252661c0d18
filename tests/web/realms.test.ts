import { createContext, runInContext } from 'node:vm';
import { type Attention, AttentionError, createAttention } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { bytesOf, dist, failure, fileOf, works } from './loaded.ts';
import { attention as oracle } from './oracle/attention.ts';
import { type Floats, Random } from './random.ts';
import { safetensors } from './safetensors-file.ts';
import { config, weights } from './synthetic-gpt2.ts';

/** Its classes are others than those of this one, as in a frame, or where a test runner makes a window. */
const realm = createContext({ bytes: undefined, values: undefined, signal: undefined });
const there = (script: string, given: object = {}) => runInContext(script, Object.assign(realm, given));
const arrayOf = (kind: string, values: ArrayLike<number>) => there(`${kind}.from(values)`, { values });
const tensorOf = ({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }, kind = 'Float32Array') =>
  there(`({ data: ${kind}.from(values), shape: [${shape}] })`, { values: data });

/** Classes of a library that is not this process's own: they say their names, and `instanceof` is of no use. */
function classOf(name: string, members: object): object {
  return Object.create(
    Object.create(null, { [Symbol.toStringTag]: { value: name } }),
    Object.getOwnPropertyDescriptors(members),
  );
}
const foreignUrl = (href: string) => classOf('URL', { href, toString: () => href });
const foreignSignal = (aborted: boolean) => {
  const listeners = new EventTarget();
  return classOf('AbortSignal', {
    aborted,
    reason: 'enough',
    addEventListener: listeners.addEventListener.bind(listeners),
    removeEventListener: listeners.removeEventListener.bind(listeners),
  });
};

const x = new Random(5).tensor([5, 8]);
const right = oracle(x, x, x).output;

describe('the module from objects of another realm', () => {
  const content = bytesOf('simd');
  const href = `file://${dist}${fileOf('simd')}`;
  test.each([
    ['a Uint8Array', () => there('Uint8Array.from(bytes)', { bytes: content })],
    ['a Uint8ClampedArray', () => there('Uint8ClampedArray.from(bytes)', { bytes: content })],
    ['an ArrayBuffer', () => there('Uint8Array.from(bytes).buffer', { bytes: content })],
    ['a WebAssembly.Module', () => there('new WebAssembly.Module(bytes)', { bytes: content })],
    ['a URL', () => foreignUrl(href)],
    ['a function to a URL', () => () => foreignUrl(href)],
    [
      'a Response',
      () =>
        classOf('Response', {
          ok: true,
          status: 200,
          url: '',
          arrayBuffer: async () => there('Uint8Array.from(bytes).buffer', { bytes: content }),
        }),
    ],
  ])('%s', async (_, wasm) => {
    const options = there('({ variant: "simd" })');
    options.wasm = wasm();
    const engine = await createAttention(options);
    works(engine);
    engine.dispose();
    const remote = await createAttentionWorker({ ...options, wasm: wasm() });
    expectClose((await remote.scaledDotProductAttention(x, x, x)).output, right, 1e-5);
    remote.dispose();
  });
});

describe('what only looks like one is refused by name', () => {
  const named = (wasm: unknown) => failure({ variant: 'simd', wasm });
  test.each([
    ['a URL in name only', classOf('URL', {})],
    ['a proxy of a URL', new Proxy(new URL('file:///nowhere'), {})],
    ['a proxy of an ArrayBuffer', new Proxy(new ArrayBuffer(8), {})],
    ['a proxy of a module', new Proxy(new WebAssembly.Module(bytesOf('simd')), {})],
    ['a Response in name only', classOf('Response', { status: 200 })],
    ['an array of other numbers', new Float32Array(4)],
    ['shared memory', new SharedArrayBuffer(8)],
  ])('%s', async (_, wasm) => {
    expect(await named(wasm)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.wasm' });
  });
  test('a revoked proxy', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(await named(proxy)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.wasm' });
    expect(() => readSafetensors(proxy as never)).toThrow(AttentionError);
  });
  test('a Response whose content is none', async () => {
    const wasm = classOf('Response', { ok: true, status: 200, arrayBuffer: async () => 'text' });
    expect(await named(wasm)).toMatchObject({ code: 'LOAD_FAILED' });
  });
  test.each([
    ['in name only', classOf('AbortSignal', {})],
    ['with the properties alone', { aborted: false, addEventListener() {}, removeEventListener() {} }],
  ])('a signal %s', async (_, signal) => {
    expect(await failure({ signal })).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.signal' });
  });
});

test('a Response that failed is LOAD_FAILED in a worker, too', async () => {
  const loading = createAttentionWorker({ wasm: new Response('gone', { status: 404 }) });
  await expect(loading).rejects.toMatchObject({ name: 'AttentionError', code: 'LOAD_FAILED' });
});

test('what cannot be sent to a worker is refused by name', async () => {
  const loading = createAttentionWorker({ variant: (() => 'simd') as never });
  await expect(loading).rejects.toMatchObject({ name: 'AttentionError', code: 'INVALID_ARGUMENT' });
});

test('a signal of another realm is followed', async () => {
  expect(await failure({ signal: foreignSignal(true) })).toMatchObject({ code: 'ABORTED', cause: 'enough' });
  const engine = await createAttention({ signal: foreignSignal(false) as AbortSignal });
  works(engine);
  engine.dispose();
});

test('what an error of another realm says is told', async () => {
  const wasm = there('() => { throw new Error("no such place") }');
  expect((await failure({ wasm })).message).toContain('no such place');
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const throws = () => {
    throw proxy;
  };
  expect(await failure({ wasm: throws })).toMatchObject({ code: 'LOAD_FAILED' });
});

describe('data of another realm', () => {
  let here: Attention;
  let remote: AsyncAttention;
  beforeAll(async () => {
    [here, remote] = await Promise.all([
      createAttention({ variant: 'simd' }),
      createAttentionWorker({ variant: 'simd' }),
    ]);
  });
  afterAll(() => {
    here?.dispose();
    remote?.dispose();
  });

  const seen = [1, 0, 1, 1, 0];
  const masked = oracle(x, x, x, { mask: { data: Uint8Array.from(seen), shape: [5], dtype: 'bool' } }).output;
  const maskOf = (kind: string) => ({ ...tensorOf({ data: seen, shape: [5] }, kind), dtype: 'bool' });

  test.each(['Uint8Array', 'Uint8ClampedArray'])(
    'inputs, a mask as %s, and options, here and in a worker',
    async (kind) => {
      const options = () => there('({ mask })', { mask: maskOf(kind) });
      const inputs = () => [tensorOf(x), tensorOf(x), tensorOf(x)] as never as [Floats, Floats, Floats];
      expectClose(here.scaledDotProductAttention(...inputs(), options()).output, masked, 1e-5);
      for (const transfer of [false, true]) {
        const { output } = await remote.scaledDotProductAttention(...inputs(), { ...options(), transfer });
        expectClose(output, masked, 1e-5);
      }
    },
  );

  test('a Uint8ClampedArray is a Uint8Array: numbers, a mask, ids', () => {
    const bytes = Uint8ClampedArray.of(3, 0, 255);
    expect([...here.tensor({ data: bytes, shape: [3] }).data]).toEqual([3, 0, 255]);
    expect(here.tensor({ data: bytes, shape: [3], dtype: 'uint8' }).dtype).toBe('int32');
    expect(here.tensor({ data: bytes, shape: [3], dtype: 'bool' }).dtype).toBe('bool');
    const table = { data: Float32Array.of(1, 2, 3, 4), shape: [4, 1] };
    expect([...here.embedding({ data: Uint8ClampedArray.of(3, 1), shape: [2] }, table).data]).toEqual([4, 2]);
    expect(() => here.tensor({ data: bytes, shape: [3], dtype: 'int8' })).toThrow(/Uint8Array as 'int8'/);
  });

  test("an out that is given is written here, and refused where it is no worker's", async () => {
    const out = arrayOf('Float32Array', new Float32Array(40));
    here.scaledDotProductAttention(x, x, x, { out });
    expectClose({ data: out, shape: [5, 8] }, right, 1e-5);
    const call = remote.scaledDotProductAttention(x, x, x, { out } as never);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.out' });
  });

  test('a DataView in a call of a worker is refused as here', async () => {
    const data = there('new DataView(new ArrayBuffer(64), 8, 16)');
    const call = remote.scaledDotProductAttention({ data, shape: [2, 2] }, x, x);
    await expect(call).rejects.toMatchObject({ code: 'UNSUPPORTED_DTYPE', argument: 'q' });
  });

  const entry = { dtype: 'F32', shape: [2], bytes: new Uint8Array(Float32Array.of(1, 2).buffer) };
  test.each(['Uint8Array.from(bytes)', 'Uint8ClampedArray.from(bytes)', 'Uint8Array.from(bytes).buffer'])(
    'a file of tensors as %s',
    (script) => {
      const file = there(script, { bytes: safetensors({ two: entry }) });
      expect([...(readSafetensors(file).two?.data ?? [])]).toEqual([1, 2]);
    },
  );

  test.each(['Uint8Array.from(bytes)', 'Uint8Array.from(bytes).buffer'])('a model of %s', async (script) => {
    const tensors = Object.fromEntries(
      Object.entries(weights()).map(([name, { data, shape }]) => {
        return [name, { dtype: 'F32', shape: [...shape], bytes: new Uint8Array(data.buffer) }];
      }),
    );
    const model = createModel(here, { config, tensors: there(script, { bytes: safetensors(tensors) }) });
    const own = createModel(here, { config, tensors: weights() });
    expect(await model.forward([1, 5, 3])).toEqual(await own.forward([1, 5, 3]));
  });

  test('the bytes of a cache', () => {
    const sizes = { numKvHeads: 1, headDim: 2, capacity: 4 };
    const [full, empty] = [here.kvCache(sizes), here.kvCache(sizes)];
    const one = { data: Float32Array.of(1, 2), shape: [1, 1, 1, 2] };
    full.append(one, one);
    empty.load(arrayOf('Uint8Array', full.toBytes()));
    expect(empty.length).toBe(1);
  });
});
