import { type Attention, createAttention } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encoder } from './families.ts';
import { refusal, rejection } from './refusals.ts';
import { inFile } from './synthetic-bert.ts';

let engine: Attention;
let worker: AsyncAttention;
beforeAll(async () => {
  [engine, worker] = await Promise.all([createAttention(), createAttentionWorker()]);
});
afterAll(() => {
  engine?.dispose();
  worker?.dispose();
});

const { config, tensors } = encoder;
const text = (content: string) => new TextEncoder().encode(content);
const index = { metadata: { total_size: 9 }, weight_map: { 'lm_head.weight': 'model-00002-of-00002.safetensors' } };

/** What a download gives that is no .safetensors file, what it is called, and what is told to do. */
const formats: [what: string, bytes: Uint8Array, name: RegExp, instead: RegExp][] = [
  ['a page', text('<!DOCTYPE html>\n<html class="">…'), /HTML/, /resolve/],
  ['a page after a BOM and a space', text('\ufeff\n<html lang="ja"><title>モデル'), /HTML/, /resolve/],
  ['a page of a store', text('<?xml version="1.0"?><Error><Code>AccessDenied'), /XML page/, /resolve/],
  [
    'a Git LFS pointer',
    text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n'),
    /LFS/,
    /git lfs pull/,
  ],
  ['a GGUF file', Uint8Array.of(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 99, 0, 0, 0), /GGUF/, /model\.safetensors/],
  ['an ONNX graph', Uint8Array.of(8, 8, 0x12, 7, ...text('pytorch'), 0x1a, 5), /ONNX/, /model\.safetensors/],
  [
    'an ONNX graph without a producer',
    Uint8Array.of(8, 7, 0x3a, 0xf0, 0x8c, 3, 10, 30, 10),
    /ONNX/,
    /model\.safetensors/,
  ],
  ['pytorch_model.bin', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0), /PyTorch/, /safe_serialization/],
  ['an older one', Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9), /pickle/, /safe_serialization/],
  ['tf_model.h5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0), /HDF5/, /model\.safetensors/],
  [
    'a .tflite file',
    Uint8Array.of(0x1c, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33, 0x14),
    /TensorFlow Lite/,
    /model\.safetensors/,
  ],
  ['a .gz file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), /gzip/, /inside/],
  ['an index of shards', text(JSON.stringify(index, null, 2)), /index of shards/, /readSafetensors\(\) each/],
  ['config.json', text(JSON.stringify(config)), /JSON/, /\.safetensors/],
  ['what a server says', text('Entry not found'), /'Entry not found'/, /\.safetensors/],
];

describe('a file that is something else', () => {
  test.each(formats)('%s', (_, bytes, name, instead) => {
    const wrong = [
      refusal(() => readSafetensors(bytes)),
      refusal(() => readSafetensors(bytes.slice().buffer)),
      refusal(() => createModel(engine, { config, tensors: bytes })),
    ];
    for (const { code, message } of wrong) {
      expect(code).toBe('CORRUPT_FILE');
      expect(message).toMatch(name);
      expect(message).toMatch(instead);
      expect(message.length).toBeLessThan(200);
    }
  });
  test('in a worker', async () => {
    const [, bytes] = formats[0] as (typeof formats)[number];
    const error = await rejection(worker.createModel({ config, tensors: bytes }));
    expect([error.code, error.message]).toEqual(['CORRUPT_FILE', expect.stringMatching(/HTML/)]);
  });
  test('a file of tensors that is damaged is not taken for another', () => {
    const whole = inFile(tensors);
    for (const length of [9, 40, 64, 500]) {
      expect(refusal(() => readSafetensors(whole.subarray(0, length))).message).toMatch(/claims|JSON|starts|bytes \d/);
    }
  });
});

const file = () => inFile(tensors);
const objects: [what: string, value: () => unknown, how: string][] = [
  ['a Response', () => new Response(file()), 'await response.arrayBuffer()'],
  ['a Blob', () => new Blob([file()]), 'await blob.arrayBuffer()'],
  ['a Promise', () => Promise.resolve(file()), 'await it'],
  ['a ReadableStream', () => new Blob([file()]).stream(), 'arrayBuffer()'],
  ['a URL', () => new URL('https://huggingface.co'), 'fetch(url)'],
  ['a name', () => 'model.safetensors', 'read the file'],
];
if (typeof File === 'function') objects.push(['a File', () => new File([file()], 'x'), 'await file.arrayBuffer()']);

describe('what is no bytes yet', () => {
  test.each(objects)('%s', async (_, value, how) => {
    const wrong = [
      refusal(() => createModel(engine, { config, tensors: value() as never })),
      await rejection(worker.createModel({ config, tensors: value() as never })),
      refusal(() => readSafetensors(value() as never)),
    ];
    expect(wrong.map(({ code, argument }) => `${code} ${argument}`)).toEqual([
      ...Array(2).fill('INVALID_ARGUMENT files.tensors'),
      'INVALID_ARGUMENT bytes',
    ]);
    for (const { message } of wrong) expect(message).toContain(how);
  });
  test.each([
    ['an index of shards', index, /index of shards.*readSafetensors\(\) each/],
    ['an array of shards', [file()], /readSafetensors\(\) each/],
    ['floats', new Float32Array(4), /bytes of a \.safetensors file/],
    ['nothing', undefined, /bytes of a \.safetensors file/],
  ])('%s', async (_, given, told) => {
    const error = refusal(() => createModel(engine, { config, tensors: given as never }));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.tensors']);
    expect(error.message).toMatch(told);
  });
});

describe('a config that is not parsed', () => {
  const json = JSON.stringify(config);
  test.each([
    ['its text', json, 'JSON.parse(text)'],
    ['its bytes', text(json), 'JSON.parse(new TextDecoder().decode(bytes))'],
    ['an ArrayBuffer of it', text(json).buffer, 'JSON.parse(new TextDecoder().decode(bytes))'],
    ['a Response', new Response(json), 'await response.json()'],
    ['a Blob', new Blob([json]), 'JSON.parse(await blob.text())'],
    ['a Promise', Promise.resolve(config), 'await it'],
    ['a list', [config], 'a parsed config.json'],
  ])('%s', async (_, given, how) => {
    const files = { config: given as never, tensors };
    for (const error of [refusal(() => createModel(engine, files)), await rejection(worker.createModel(files))]) {
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.config']);
      expect(error.message).toContain(how);
    }
  });
  test('files that are a Promise', async () => {
    const files = Promise.resolve({ config, tensors }) as never;
    for (const error of [refusal(() => createModel(engine, files)), await rejection(worker.createModel(files))]) {
      expect([error.argument, error.message.includes('await it')]).toEqual(['files', true]);
    }
  });
});
