import { describe, refused } from './errors.js';
import { plain } from './typed-arrays.js';

/** How to hand over what is often passed as it is. Errors add it to what they wanted. */

/** Of a value where a tensor was wanted; nothing where there is no better guess. */
export function onTensor(value: unknown): string {
  if (isPromise(value)) return ': await it first';
  if (Array.isArray(value)) return onList(value);
  if (value === null || typeof value !== 'object') return '';
  if (ArrayBuffer.isView(value)) return ', such as { data: array, shape: [...] } of this array';
  if (isFunction(value, 'dataSync')) return ', such as { data: x.dataSync(), shape: x.shape } of this tensor x';
  if (isFunction(value, 'read') && 'shape' in value) return ': await the read() of this tensor of a worker';
  const part = ['selection', 'output', 'lastHiddenState', 'input_ids'].find((name) => name in value);
  return part === undefined ? '' : `: pass its ${part}`;
}

function onList(list: readonly unknown[]): string {
  if (Array.isArray(list[0])) return ': fromNested() makes one of nested arrays';
  return typeof list[0] === 'number' ? ', such as { data: Float32Array.from(array), shape: [array.length] }' : '';
}

/** Of a tensor's data that is no typed array which says its element type. */
export function onData(data: object, isNamed: boolean): string {
  if (Array.isArray(data)) {
    return Array.isArray(data[0])
      ? ': fromNested() makes a tensor of nested arrays'
      : ', such as Float32Array.from(data)';
  }
  if (data instanceof ArrayBuffer) return ', such as new Float32Array(data)';
  const { kind } = plain(data);
  if (kind === 'Uint16Array' && !isNamed) return "; dtype: 'float16' if these are the bits of halves";
  return kind === undefined || isNamed ? '' : ', such as Float32Array.from(data)';
}

/** Of a value where a tensor's shape was wanted. */
export function onShape(shape: unknown): string {
  const isList = typeof shape === 'string' && /^[\s[(]*\d+([\s,x]+\d+)*[\s\])]*$/.test(shape);
  return isList || typeof shape === 'number' ? `, such as [${String(shape).match(/\d+/g)}]` : '';
}

/** Of a value where an array of integers was wanted. */
export function onIntegers(values: unknown): string {
  return typeof values === 'number' ? `, such as [${values}]` : onArray(values);
}

/** Of a value where an array was wanted. */
export function onArray(value: unknown): string {
  if (isPromise(value)) return ': await it first';
  return typeof value === 'object' && value !== null && 'data' in value ? ': pass its data' : '';
}

/** @throws AttentionError for text, for what tokenizers give, and for what is no list at all, where token ids are wanted. */
export function refuseUntokenized(argument: string, input: unknown): void {
  const isList = Array.isArray(input) && input.length > 0;
  const one: unknown = isList ? input[0] : input;
  if (typeof one === 'string') {
    const how = 'token ids: a tokenizer makes them, as tokenizer.encode(text).ids of @huggingface/tokenizers does';
    throw refused(argument, `the text ${describe(one)}`, how);
  }
  if (isPromise(one)) throw refused(argument, 'a Promise', 'token ids: await it first');
  if (typeof one === 'object' && one !== null) refuseEncoding(argument, one, isList ? ' of each' : '');
  else if (!isList) throw refused(argument, describe(one), 'token ids: an array of integers, or a tensor of them');
}

function refuseEncoding(argument: string, encoding: object, each: string): void {
  const came = "what a tokenizer's call returns";
  if ('data' in encoding) return;
  if ('ids' in encoding) throw refused(argument, came, `the ids${each}: encoding.ids`);
  if (!('input_ids' in encoding)) return;
  throw refused(
    argument,
    came,
    `the input_ids${each}: encoding.input_ids, and its attention_mask as options.attentionMask`,
  );
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isFunction(value, 'then');
}

function isFunction(value: object, name: string): boolean {
  return typeof (value as Record<string, unknown>)[name] === 'function';
}
