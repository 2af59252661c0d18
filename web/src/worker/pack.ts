import { AttentionError } from '../errors.js';
import { builderName, isMask } from '../masks/index.js';
import { isArrayBuffer, nameOf } from '../realms.js';
import { layoutOf } from '../strided.js';
import { plain } from '../typed-arrays.js';
import type { Mask } from '../types.js';
import { type Special, special } from './messages.js';
import { Remote } from './remote.js';

/** Deeper than any argument: what goes on and on is refused. */
const deepest = 8;

/** What a message of arguments carries beside them. */
export interface Packed {
  args: unknown[];
  transfer: ArrayBuffer[];
  functions: ((...args: unknown[]) => unknown)[];
  masks: Map<number, Mask>;
}

const maskNumbers = new WeakMap<Mask, number>();
let masksSeen = 0;

/** Arguments as a message carries them. Arrays are copied with the message, no more of their buffers than they show. */
export function pack(args: readonly unknown[], link: object, moves: boolean): Packed {
  const packed: Packed = { args: [], transfer: [], functions: [], masks: new Map() };
  const buffers = new Set<ArrayBuffer>();

  function value(from: unknown, depth: number): unknown {
    if (typeof from === 'function') {
      const name = builderName(from);
      if (name !== undefined) return marked({ [special]: 'builder', name });
      return marked({ [special]: 'function', at: packed.functions.push(from as never) - 1 });
    }
    if (typeof from === 'symbol') return marked({ [special]: 'function', at: -1 });
    if (from === null || typeof from !== 'object') return from;
    if (from instanceof Remote) {
      return marked(from.link === link ? { [special]: 'object', handle: from.handle } : { [special]: 'stranger' });
    }
    if (from instanceof Promise) return marked({ [special]: 'promise' });
    if (isMask(from)) return marked({ [special]: 'mask', mask: numberOf(from) });
    if (ArrayBuffer.isView(from)) return array(from);
    if (isArrayBuffer(from)) return bytes(from);
    if (depth === deepest) throw new AttentionError('INVALID_ARGUMENT', undefined, 'got an object without end');
    if (Array.isArray(from)) return from.map((one) => value(one, depth + 1));
    // Tensors of other libraries, and pictures, have their parts behind getters.
    const parts = 'data' in from ? tensorParts(from as Record<string, unknown>) : Object.entries(from);
    const entries = parts.map(([key, part]) => [key, value(part, depth + 1)] as const);
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  }

  function numberOf(mask: Mask): number {
    const number = maskNumbers.get(mask) ?? ++masksSeen;
    maskNumbers.set(mask, number);
    packed.masks.set(number, mask);
    return number;
  }

  /** Structured clones copy the whole buffer behind a view. */
  function array(from: object): unknown {
    const { kind, array: plainArray } = plain(from);
    const isOwn = kind === plainArray.constructor.name && nameOf(from) !== 'Uint8ClampedArray'; // that of a picture
    const view = (isOwn ? plainArray : from) as Uint8Array;
    if (view.length === 0) return new (view.constructor as typeof Uint8Array)(0); // Its buffer may be gone.
    if (moves && isArrayBuffer(view.buffer)) return move(view, view.buffer);
    const isWhole = view.byteLength === view.buffer.byteLength && isArrayBuffer(view.buffer);
    return isWhole || kind === undefined ? view : view.slice();
  }

  function bytes(buffer: ArrayBuffer): unknown {
    return moves ? move(buffer, buffer) : buffer;
  }

  function move<T>(what: T, buffer: ArrayBuffer): T {
    buffers.add(buffer);
    return what;
  }

  packed.args = args.map((one) => value(one, 0));
  packed.transfer = [...buffers];
  return packed;
}

function tensorParts(tensor: Record<string, unknown>): [string, unknown][] {
  const { data, shape, dims, dtype, type, width, height, dataSync } = tensor;
  return Object.entries({ data, shape, dims, dtype, type, width, height, dataSync, ...layoutOf(tensor) });
}

function marked(one: Special): Special {
  return one;
}
