import { onArray } from './advice.js';
import type { Core } from './attention-module.js';
import { AttentionError, coreError, invalid, refused } from './errors.js';
import { net } from './forgotten.js';
import type { ThreadWorkers } from './load/thread-workers.js';
import { bytesPerElement, type Operand } from './operand.js';
import { ResidentTensor } from './tensor.js';
import { plain } from './typed-arrays.js';
import type { DType, NdArray, Out } from './types.js';

/**
 * The layout of cpp/bindings/wire.hpp in 32-bit words: 8 doubles, 20 inputs, 3 outputs (12 words each: state, address,
 * dtype, rank, 8 sizes), 20 integers.
 */
const wire = { numbers: 8, inputs: 16, words: 12, outputs: 16 + 20 * 12, integers: 16 + 23 * 12 } as const;
const inputSlots = 20;
const state = { absent: 0, present: 1, ofLength: 2, kept: 3 } as const;
export const dtypeCodes = { float32: 0, float16: 1, int8: 2, int32: 3, bool: 4, panels: 5, panels8: 6 } as const;

/** As the core's arena: every staged input starts on a cache line. */
const alignment = 64;
const addressSpace = 2 ** 32;

/** Makes a result of its memory, which is the caller's to release, and its shape. */
export type Keep = (address: number, shape: number[]) => ResidentTensor;

/** One call of the core: operands by slot, and the function to run once they are in place. */
export interface Request {
  /** A promise, of a mask that another thread compiles, is for engines that make long calls in parts. */
  operands: readonly (Operand | Promise<Operand> | undefined)[];
  integers?: readonly number[];
  numbers?: readonly number[];
  out?: Out | undefined;
  /** The operands that `out` may be written onto. */
  onto?: readonly Operand[];
  /** Takes results over where they lie; they are copied into JavaScript's memory by default. */
  keep?: Keep | undefined;
  /** Work enough that someone may wish to look up from it; `run` may then be made in parts. */
  isLong?: boolean;
  run: (core: Core) => number;
}

/** Ends the threads of an engine that was dropped without dispose(). */
const forgotten = net<ThreadWorkers>((workers) => {
  workers.terminate();
  return true;
});

/** An instance of the module with its memory: puts inputs in, makes the call, copies results out. */
export class Engine {
  #core: Core | undefined;
  #memory: WebAssembly.Memory | undefined;
  readonly #workers: ThreadWorkers | undefined;
  readonly #call: number;
  readonly #shown = new WeakSet<ArrayBufferLike>();
  #words = new Uint32Array(0);
  #numbers = new Float64Array(0);

  constructor(core: Core, memory: WebAssembly.Memory, workers?: ThreadWorkers) {
    this.#core = core;
    this.#memory = memory;
    this.#workers = workers;
    if (workers) forgotten.register(this, workers, this);
    this.#call = core.callAddress() / 4;
  }

  get disposed(): boolean {
    return this.#core === undefined;
  }

  get core(): Core {
    if (this.#core === undefined) throw disposed();
    return this.#core;
  }

  get memory(): WebAssembly.Memory {
    if (this.#memory === undefined) throw disposed();
    return this.#memory;
  }

  /** The memory as a tensor shows it: remembered, for a shared one outlives its growth in the views that were given. */
  get shown(): ArrayBufferLike {
    const { buffer } = this.memory;
    this.#shown.add(buffer);
    return buffer;
  }

  /** Lets go of the memory, which the collector then takes, whoever still holds tensors of it. */
  dispose(): void {
    this.#workers?.terminate();
    forgotten.unregister(this);
    this.#core = undefined;
    this.#memory = undefined;
    this.#words = new Uint32Array(0);
    this.#numbers = new Float64Array(0);
  }

  /** Memory for a resident tensor. */
  allocate(argument: string | undefined, bytes: number): number {
    const address = bytes < addressSpace ? this.core.allocate(Math.max(1, bytes)) : 0;
    if (address === 0) throw outOfMemory(argument, bytes);
    return address;
  }

  /** A resident copy of an operand. */
  resident(given: Operand): ResidentTensor {
    const from = this.#copied(given);
    const address = this.allocate(from.argument, byteLength(from));
    const tensor = new ResidentTensor(this, address, from.shape, from.dtype as DType);
    this.#write(from, address);
    return tensor;
  }

  /** Runs one call; `read` sees its results before their memory is given back. */
  call<R>(request: Request, read: (results: Results) => R): R {
    const core = this.core;
    try {
      this.stage(request);
      this.run(request);
      return read(this.results(request));
    } finally {
      core.finishCall();
    }
  }

  /** Makes the call whose inputs are in place. */
  protected run({ operands, run }: Request): void {
    const code = run(this.core);
    if (code !== 0) throw this.#refusal(code, operands as readonly (Operand | undefined)[]);
  }

  protected results({ out, keep }: Request): Results {
    return new Results(this.memory, this.#current(), this.#call + wire.outputs, out, keep);
  }

  #refusal(code: number, operands: readonly (Operand | undefined)[]): AttentionError {
    const argument = this.#text(this.core.errorArgument());
    const message = this.#text(this.core.errorMessage());
    const error = coreError(code, argument, message);
    // The core sees int64 and uint8 as int32, and float16 widened: the message shall say what came.
    const given = operands.find((one) => one?.argument === argument)?.given;
    if (error.code !== 'UNSUPPORTED_DTYPE' || given === undefined) return error;
    return coreError(code, argument, message.replace(/^got \w+/, `got ${given}`));
  }

  /** Text of the core, up to its NUL. */
  #text(address: number): string {
    const bytes = new Uint8Array(this.memory.buffer, address, 240);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /** Puts inputs in place. */
  protected stage({ operands, integers = [], numbers = [], out, onto = [], keep }: Request): void {
    const given = operands as readonly (Operand | undefined)[];
    const room = out === undefined || out instanceof ResidentTensor ? out : floatsOf(out);
    if (room instanceof Float32Array) this.#refuseOverlap(room, given, onto);
    const held = given.map((one) => one && this.detached(one));
    let bytes = 0;
    for (const one of held) if (one && !(one.values instanceof ResidentTensor)) bytes += roundUp(byteLength(one));
    let free = bytes === 0 ? 0 : bytes < addressSpace ? this.core.stage(bytes) : 0;
    if (bytes !== 0 && free === 0) throw outOfMemory(undefined, bytes);

    // Memory does not grow from here to the run: the views stay.
    const words = this.#current();
    this.#numbers.set(numbers);
    for (let slot = 0; slot < inputSlots; slot++) {
      const at = this.#call + wire.inputs + slot * wire.words;
      const one = held[slot];
      if (one === undefined) {
        words[at] = state.absent;
      } else if (one.values instanceof ResidentTensor) {
        describe(words, at, one.values.addressIn(this, one.argument), one);
      } else {
        this.#write(one, free);
        describe(words, at, free, one);
        free += roundUp(byteLength(one));
      }
    }
    this.#place(words, room, keep ? state.kept : state.absent);
    for (let i = 0; i < integers.length; i++) words[this.#call + wire.integers + i] = integers[i] as number;
  }

  #place(words: Uint32Array, out: Float32Array | ResidentTensor | undefined, others: number): void {
    const at = this.#call + wire.outputs;
    for (let slot = 0; slot < 3; slot++) words[at + slot * wire.words] = others;
    if (out instanceof ResidentTensor) {
      describe(words, at, out.addressIn(this, 'options.out'), out);
    } else if (out !== undefined) {
      words[at] = state.ofLength;
      words[at + 4] = out.length;
    }
  }

  /** A view of this memory is lost when an allocation makes it grow: such an input is copied first. */
  detached(one: Operand): Operand {
    if (!(one.values instanceof ResidentTensor) && one.values.length !== count(one.shape)) {
      throw refused(one.argument, 'an array whose memory was taken away', 'one that stays while it is read');
    }
    if (one.values instanceof ResidentTensor || !this.#shown.has(one.values.buffer)) return one;
    return { ...one, values: one.values.slice() };
  }

  /** In memory that stays where it is while this one grows. */
  #copied(one: Operand): Operand {
    if (!(one.values instanceof ResidentTensor)) return this.detached(one);
    one.values.addressIn(this, one.argument);
    return { ...one, values: one.values.data.slice() };
  }

  #refuseOverlap(out: Float32Array, operands: readonly (Operand | undefined)[], onto: readonly Operand[]): void {
    if (this.#shown.has(out.buffer)) {
      throw refused('options.out', "a view of this engine's memory", 'the tensor itself');
    }
    const mayBeOnto = onto.some(({ values }) => sameBytes(values, out));
    for (const one of operands) {
      if (!one || one.values instanceof ResidentTensor || one.values.buffer !== out.buffer) continue;
      const { byteOffset, byteLength } = one.values;
      const apart = byteOffset + byteLength <= out.byteOffset || out.byteOffset + out.byteLength <= byteOffset;
      if (apart || (mayBeOnto && sameBytes(one.values, out))) continue;
      throw refused('options.out', `memory that overlaps ${one.argument}`, 'memory of its own');
    }
  }

  #write(from: Operand, address: number): void {
    const values = from.values as Exclude<Operand['values'], ResidentTensor>;
    const { buffer } = this.memory;
    if (from.given === 'bfloat16') {
      // The upper halves of float32.
      const bits = new Int32Array(buffer, address, values.length);
      for (let i = 0; i < bits.length; i++) bits[i] = (values[i] as number) << 16;
    } else if (from.dtype === 'float32') new Float32Array(buffer, address, values.length).set(values);
    else if (from.dtype === 'int32') new Int32Array(buffer, address, values.length).set(values);
    else {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      new Uint8Array(buffer, address, bytes.length).set(bytes);
    }
  }

  /** Memory growth detaches old views. */
  #current(): Uint32Array {
    const { buffer } = this.memory;
    if (this.#words.buffer !== buffer) {
      this.#words = new Uint32Array(buffer);
      this.#numbers = new Float64Array(buffer, this.#call * 4, wire.numbers);
    }
    return this.#words;
  }
}

function describe(
  words: Uint32Array,
  at: number,
  address: number,
  tensor: { dtype: Operand['dtype']; shape: readonly number[] },
) {
  const { shape } = tensor;
  words[at] = state.present;
  words[at + 1] = address;
  words[at + 2] = dtypeCodes[tensor.dtype];
  words[at + 3] = shape.length;
  for (let axis = 0; axis < shape.length; axis++) words[at + 4 + axis] = shape[axis] as number;
}

/** The outputs of a call, while their memory lives. */
export class Results {
  constructor(
    readonly memory: WebAssembly.Memory,
    readonly words: Uint32Array,
    readonly at: number,
    readonly out: Out | undefined,
    readonly keep: Keep | undefined,
  ) {}

  /** The first output: in `out` where it was given, else as copy() has it. */
  output(): NdArray | Out {
    if (this.out === undefined) return this.copy(0);
    if (this.out instanceof ResidentTensor) return this.out;
    const { view, shape } = this.view(0);
    floatsOf(this.out).set(view);
    return ndArray(this.out as Float32Array<ArrayBuffer>, shape);
  }

  /** An output as the call's results are kept. The type is what it is outside of scopes. */
  copy(slot: number): NdArray {
    const { view, shape } = this.view(slot);
    if (this.keep) return this.keep(view.byteOffset, shape) as ResidentTensor as unknown as NdArray;
    try {
      return ndArray(view.slice(), shape);
    } catch {
      throw outOfMemory(undefined, view.byteLength); // of JavaScript
    }
  }

  view(slot: number): { view: Float32Array<ArrayBuffer>; shape: number[] } {
    const at = this.at + slot * wire.words;
    const rank = this.words[at + 3] as number;
    const shape = Array.from(this.words.subarray(at + 4, at + 4 + rank));
    const view = new Float32Array(this.memory.buffer as ArrayBuffer, this.words[at + 1] as number, count(shape));
    return { view, shape };
  }
}

export function ndArray(data: Float32Array<ArrayBuffer>, shape: number[]): NdArray {
  return { data, shape, dims: shape };
}

function floatsOf(out: Out): Float32Array {
  const { array } = plain(Object(out));
  if (array instanceof Float32Array) return array;
  throw invalid('options.out', out, `a Float32Array or a float32 tensor${onArray(out)}`);
}

function sameBytes(values: Operand['values'], out: Float32Array): boolean {
  return (
    !(values instanceof ResidentTensor) &&
    values.buffer === out.buffer &&
    values.byteOffset === out.byteOffset &&
    values.byteLength === out.byteLength
  );
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function byteLength({ shape, dtype }: Operand): number {
  return count(shape) * bytesPerElement[dtype];
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function disposed(): AttentionError {
  return new AttentionError('DISPOSED', undefined, 'this engine was disposed');
}

function outOfMemory(argument: string | undefined, bytes: number): AttentionError {
  return new AttentionError('OUT_OF_MEMORY', argument, `needs ${bytes} bytes more than the memory limit leaves`);
}
