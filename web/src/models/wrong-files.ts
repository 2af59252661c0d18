import { describe, invalid, refused } from '../errors.js';
import { nameOf } from '../realms.js';
import { bytesOf } from '../typed-arrays.js';
import type { ModelFiles } from './types.js';

/** What came in the place of a checkpoint's files, told for what it is, with what to do. */

/** What is often given before it was read, by its tag: how to get its bytes, and how to get the object that JSON is of. */
const unread: Readonly<Record<string, { bytes: string; object: string }>> = {
  Promise: { bytes: 'await it', object: 'await it' },
  Response: { bytes: 'await response.arrayBuffer()', object: 'await response.json()' },
  Blob: { bytes: 'await blob.arrayBuffer()', object: 'JSON.parse(await blob.text())' },
  File: { bytes: 'await file.arrayBuffer()', object: 'JSON.parse(await file.text())' },
  ReadableStream: {
    bytes: 'await new Response(stream).arrayBuffer()',
    object: 'await new Response(stream).json()',
  },
  URL: { bytes: 'await (await fetch(url)).arrayBuffer()', object: 'await (await fetch(url)).json()' },
  String: { bytes: 'read the file that it names', object: 'JSON.parse(text)' },
  ArrayBuffer: { bytes: '', object: 'JSON.parse(new TextDecoder().decode(bytes))' },
  Uint8Array: { bytes: '', object: 'JSON.parse(new TextDecoder().decode(bytes))' },
};

const unreadOf = (value: unknown) => unread[nameOf(value) ?? ''];

/**
 * The bytes of an ArrayBuffer or a Uint8Array.
 * @throws AttentionError INVALID_ARGUMENT that says how to get the bytes of what came.
 */
export function checkBytes(argument: string, value: unknown): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes) return bytes;
  const wanted = 'an ArrayBuffer or a Uint8Array';
  const how = unreadOf(value)?.bytes;
  throw invalid(argument, value, how ? `${wanted}: ${how}` : wanted);
}

/** @throws AttentionError INVALID_ARGUMENT that says what came in the place of a checkpoint's files. */
export function checkFiles(files: ModelFiles): void {
  if (nameOf(files) === 'Promise') throw invalid('files', files, 'config and tensors: await it');
  if (files === null || typeof files !== 'object') throw invalid('files', files, 'config and tensors');
  checkConfig(files.config);
  checkTensors(files.tensors);
}

function checkConfig(config: unknown): void {
  const how = unreadOf(config)?.object;
  if (how) throw invalid('files.config', config, `a parsed config.json: ${how}`);
  if (config === null || typeof config !== 'object' || Array.isArray(config)) {
    throw invalid('files.config', config, 'a parsed config.json');
  }
}

function checkTensors(tensors: unknown): void {
  if (bytesOf(tensors)) return;
  const wanted = 'the bytes of a .safetensors file, or tensors by name';
  const how = unreadOf(tensors)?.bytes;
  if (how) throw invalid('files.tensors', tensors, `${wanted}: ${how}`);
  if (Array.isArray(tensors)) {
    throw invalid('files.tensors', tensors, `${wanted}: readSafetensors() each shard, and spread them into one object`);
  }
  if (tensors === null || typeof tensors !== 'object' || ArrayBuffer.isView(tensors)) {
    throw invalid('files.tensors', tensors, wanted);
  }
  if (Object.hasOwn(tensors, 'weight_map'))
    throw refused('files.tensors', `${shardIndex.name} as an object`, shardIndex.instead);
}

interface Format {
  readonly name: string;
  readonly instead: string;
}

const safetensors = 'model.safetensors of the same model';
const shardIndex: Format = {
  name: 'an index of shards (model.safetensors.index.json)',
  instead: 'the shards that it names: readSafetensors() each, and spread them into one object',
};
/** Texts by how they begin. */
const texts: readonly (Format & { readonly begins: RegExp })[] = [
  {
    begins: /^\s*<[!?a-z]/i,
    name: 'an HTML or XML page',
    instead: 'a .safetensors file: on huggingface.co it is at /resolve/main/, not at /blob/main/',
  },
  {
    begins: /^version https:\/\/git-lfs/,
    name: 'a Git LFS pointer',
    instead: 'the file that it stands for: git lfs pull, or download it from /resolve/main/, not /raw/main/',
  },
];
/** Binary formats by how they begin, in hexadecimal digits. */
const binaries: readonly (Format & { readonly begins: RegExp })[] = [
  { begins: /^47475546/, name: 'a GGUF file', instead: safetensors },
  // The version of the format, then a field that is text, the graph, or operator sets.
  { begins: /^08(0[1-9a-f]|1[0-4])(12|1a|22|2a|32|3a|42)/, name: 'an ONNX graph', instead: safetensors },
  {
    begins: /^504b0304|^800[2-5]/,
    name: 'a zip archive or pickle, as PyTorch writes them (.bin, .pt)',
    instead: `${safetensors}, or save it by model.save_pretrained(folder, safe_serialization=True)`,
  },
  { begins: /^89484446/, name: 'an HDF5 file, as Keras writes them (.h5)', instead: safetensors },
  { begins: /^.{8}54464c33/, name: 'a TensorFlow Lite file', instead: safetensors },
  { begins: /^1f8b/, name: 'a gzip archive', instead: 'the file inside it' },
];
/** Of a file that is JSON, so many bytes are looked at. */
const looked = 2 ** 16;

/** What a file is that is no safetensors file, damaged or not, and what was wanted. */
export function otherFormat(file: Uint8Array): string | undefined {
  const begins = Array.from(file.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // The length of a header that is no longer than the format allows, and the header's first character.
  if (/^.{8}000000007b/.test(begins)) return undefined;
  const format = binaries.find((one) => one.begins.test(begins)) ?? textFormat(file);
  return format && `got ${format.name}, wanted ${format.instead}`;
}

function textFormat(file: Uint8Array): Format | undefined {
  const begins = textOf(file.subarray(0, 64));
  const known = texts.find((one) => one.begins.test(begins));
  if (known) return known;
  if (/^\s*[[{]\s*["{[\]}]/.test(begins)) {
    const isIndex = textOf(file.subarray(0, looked)).includes('"weight_map"');
    return isIndex ? shardIndex : { name: 'JSON', instead: 'a .safetensors file' };
  }
  if (!/^[\s\x20-\x7e]{8,}$/.test(begins)) return undefined;
  return { name: `the text ${describe(begins)}`, instead: 'a .safetensors file' };
}

/** Of a copy of the bytes: no view of shared memory may be decoded. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.slice());
