import type { Engine } from '../engine.js';
import { AttentionError } from '../errors.js';
import { ResidentCache } from '../kv-cache.js';
import { masks } from '../masks/index.js';
import { Latest } from '../masks/latest.js';
import { LayerCaches } from '../models/cache.js';
import { prepareModel } from '../models/create.js';
import type { ModelFiles } from '../models/types.js';
import { isArrayBuffer } from '../realms.js';
import { ResidentTensor } from '../tensor.js';
import {
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from '../transformers.js';
import { nextTurn, unlessAborted } from '../turns.js';
import type { Attention, StateDict, TransformerConfig } from '../types.js';
import { DistantMask } from './distant-mask.js';
import {
  type After,
  type CallMessage,
  type Failure,
  type FromWorker,
  type Question,
  type Special,
  special,
  type ToWorker,
} from './messages.js';
import type { PartedEngine } from './parted-engine.js';
import { type Before, beforeCall } from './undo.js';

/** Milliseconds between two reports of progress. */
const reportEvery = 16;
const masksKept = 16;

const transformers = {
  transformerEncoderLayer,
  transformerDecoderLayer,
  transformerEncoder,
  transformerDecoder,
};

type Lives = { dispose(): void } & Record<string, (...args: unknown[]) => unknown>;

/** A failure of a function that the calling side has. */
class CallersError extends Error {}

/** The worker's end of the line: makes the calls one after the other, in their order. */
export class Host {
  readonly #attention: Attention;
  readonly #engine: PartedEngine;
  readonly #send: (message: FromWorker, transfer: Transferable[]) => void;
  readonly #lives = new Map<number, Lives>();
  readonly #underWay = new Map<number, AbortController>();
  readonly #questions = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly #masks = new Latest<{ mask: DistantMask; call: { id: number } }>(masksKept);
  /** Of calls whose result nobody waits for: told once, by the next call that has to do with the object. */
  readonly #failures = new Map<number, unknown>();
  /** Of provisional results. */
  readonly #keeps = new Map<number, () => void>();
  #asked = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    attention: Attention,
    engine: PartedEngine,
    send: (message: FromWorker, transfer: Transferable[]) => void,
  ) {
    this.#attention = attention;
    this.#engine = engine;
    this.#send = send;
    this.#lives.set(0, attention as unknown as Lives);
  }

  receive(message: ToWorker): void {
    switch (message.kind) {
      case 'call':
        this.#take(message);
        break;
      case 'abort':
        this.#underWay.get(message.id)?.abort();
        break;
      case 'keep':
        this.#keeps.get(message.id)?.();
        break;
      case 'release':
        this.#enqueue(async () => this.#release(message.handle));
        break;
      case 'answer':
        this.#answered(message);
        break;
    }
  }

  #take(message: CallMessage): void {
    const controller = new AbortController();
    if (message.id !== 0) this.#underWay.set(message.id, controller);
    this.#enqueue(() => (message.id === 0 ? this.#follow(message) : this.#make(message, controller.signal)));
  }

  #answered({ question, value, failed }: Extract<ToWorker, { kind: 'answer' }>): void {
    const asked = this.#questions.get(question);
    this.#questions.delete(question);
    if (failed) asked?.reject(new CallersError());
    else asked?.resolve(value);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#last = this.#last.then(work);
  }

  #release(handle: number): void {
    this.#lives.get(handle)?.dispose();
    this.#lives.delete(handle);
    this.#failures.delete(handle);
  }

  async #follow({ target, method, args, as }: CallMessage): Promise<void> {
    try {
      const made = this.#living(target)[method]?.(...args);
      if (as !== undefined) this.#lives.set(as, made as Lives);
    } catch (error) {
      this.#failures.set(as ?? target, error);
    }
  }

  #living(handle: number): Lives {
    if (this.#failures.has(handle)) {
      const failure = this.#failures.get(handle);
      if (this.#lives.has(handle)) this.#failures.delete(handle);
      throw failure;
    }
    const living = this.#lives.get(handle);
    if (!living) throw new AttentionError('DISPOSED', undefined, 'it was disposed');
    return living;
  }

  async #make(message: CallMessage, signal: AbortSignal): Promise<void> {
    const { id } = message;
    const touched = new Set([message.target]);
    const progress = new Progress((done, total) => {
      if (message.isWatched) this.#send({ kind: 'progress', id, done, total }, []);
    });
    let before: readonly Before[] = [];
    try {
      if (signal.aborted) throw aborted();
      const args = message.args.map((one) => this.#unpack(one, id, touched));
      if (message.mayEnd)
        before = beforeCall(
          [...touched].map((handle) => this.#lives.get(handle)),
          args,
        );
      this.#engine.watch = { signal, progress: progress.report };
      const result = await this.#result(message, args, signal, progress.report);
      progress.end();
      const isProvisional = before.length > 0;
      if (message.as !== undefined) {
        this.#lives.set(message.as, result as Lives);
        touched.add(message.as);
        this.#send({ kind: 'result', id, value: described(result), after: this.#after(touched), isProvisional }, []);
      } else {
        const transfer: Transferable[] = [];
        const value = packed(result, transfer);
        this.#send({ kind: 'result', id, value, after: this.#after(touched), isProvisional }, transfer);
      }
      if (isProvisional) await this.#kept(id, signal);
    } catch (error) {
      for (const one of before) one.restore();
      this.#send({ kind: 'error', id, error: failureOf(error), after: this.#after(touched) }, []);
    } finally {
      for (const one of before) one.forget();
      this.#engine.watch = undefined;
      this.#underWay.delete(id);
    }
  }

  /** The caller gives up at once, also a call whose result is on its way: the next call waits until it has the last word. */
  #kept(id: number, signal: AbortSignal): Promise<void> {
    const kept = new Promise<void>((resolve) => this.#keeps.set(id, resolve));
    return unlessAborted(kept, signal).finally(() => this.#keeps.delete(id));
  }

  async #result(
    { target, method }: CallMessage,
    args: unknown[],
    signal: AbortSignal,
    report: (done: number, total: number) => void,
  ): Promise<unknown> {
    if (method === 'createModel') return this.#createModel(args, signal, report);
    if (Object.hasOwn(transformers, method)) {
      const [config, stateDict] = args as [TransformerConfig, StateDict];
      return transformers[method as keyof typeof transformers](this.#attention, config, stateDict);
    }
    const living = this.#living(target);
    if (method === 'read') return contentOf(living as unknown as ResidentTensor);
    if ('createCache' in living && method !== 'createCache') args[1] = { ...(args[1] as object), signal }; // a model
    return (living[method] as (...args: unknown[]) => unknown)(...args);
  }

  /** As createModel() does it, with a look at messages after each tensor. */
  async #createModel([files, options]: unknown[], signal: AbortSignal, report: (done: number, total: number) => void) {
    const { model, fill } = prepareModel(this.#attention, files as ModelFiles, options as undefined);
    try {
      for (const [done, total] of fill) {
        report(done, total);
        await nextTurn();
        if (signal.aborted) throw aborted();
      }
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  #unpack(from: unknown, id: number, touched: Set<number>): unknown {
    if (from === null || typeof from !== 'object' || ArrayBuffer.isView(from) || isArrayBuffer(from)) return from;
    if (Array.isArray(from)) return from.map((one) => this.#unpack(one, id, touched));
    if (!(special in from)) {
      return Object.fromEntries(Object.entries(from).map(([key, one]) => [key, this.#unpack(one, id, touched)]));
    }
    const one = from as Special;
    switch (one[special]) {
      case 'object':
        touched.add(one.handle);
        if (this.#failures.has(one.handle)) return this.#living(one.handle);
        return this.#lives.get(one.handle) ?? goneTensor();
      case 'stranger':
        return strangersTensor();
      case 'mask':
        return this.#mask(one.mask, id);
      case 'builder':
        return masks[one.name];
      case 'promise':
        return Promise.resolve();
      case 'function':
        return (...args: unknown[]) => this.#ask(id, { function: one.at, args });
      default:
        return from; // no value of any option, and refused as that
    }
  }

  /** Kept with its maps from call to call; each call asks for those that are missing in its own name. */
  #mask(number: number, id: number): DistantMask {
    const known = this.#masks.get(String(number), () => {
      const call = { id };
      const ask = (extents: unknown, heads: number) => this.#ask(call.id, { mask: number, extents, heads });
      return { call, mask: new DistantMask(ask as ConstructorParameters<typeof DistantMask>[0]) };
    });
    known.call.id = id;
    return known.mask;
  }

  #ask(id: number, ask: Question): Promise<unknown> {
    const question = ++this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => this.#questions.set(question, { resolve, reject }));
    const { signal } = this.#underWay.get(id) ?? {};
    if ('args' in ask) {
      const transfer: Transferable[] = [];
      this.#send(
        { kind: 'question', id, question, ask: { ...ask, args: ask.args.map((one) => packed(one, transfer)) } },
        transfer,
      );
    } else {
      this.#send({ kind: 'question', id, question, ask }, []);
    }
    return unlessAborted(answer, signal).finally(() => this.#questions.delete(question));
  }

  #after(touched: Set<number>): After {
    const { memoryBytes, highWaterBytes } = this.#attention.info;
    const caches = [...touched].flatMap((handle) => {
      const living: unknown = this.#lives.get(handle);
      if (!(living instanceof ResidentCache || living instanceof LayerCaches)) return [];
      return [{ handle, length: living.length, byteLength: living.byteLength }];
    });
    return { info: { memoryBytes, highWaterBytes }, caches };
  }
}

/** Reports of one long call, not too often, and a last one of all. */
class Progress {
  readonly #send: (done: number, total: number) => void;
  #total = 1;
  #sent = Number.NEGATIVE_INFINITY;

  constructor(send: (done: number, total: number) => void) {
    this.#send = send;
  }

  readonly report = (done: number, total: number): void => {
    if (total > 0) this.#total = total;
    const now = performance.now();
    if (done === total || now - this.#sent < reportEvery) return;
    this.#sent = now;
    this.#send(done, total);
  };

  end(): void {
    this.#send(this.#total, this.#total);
  }
}

const aborted = () => new AttentionError('ABORTED', undefined, 'aborted');

function contentOf(tensor: ResidentTensor): unknown {
  const shape = [...tensor.shape];
  return { data: tensor.data.slice(), shape, dims: shape };
}

/** What the calling side shows of something that lives here. */
function described(living: unknown): unknown {
  if (living instanceof ResidentTensor) return { shape: living.shape, dtype: living.dtype };
  if (living instanceof ResidentCache) return { capacity: living.capacity };
  const { type, layers, heads, kvHeads, embedSize, maxLength, byteLength } = living as Record<string, unknown>;
  return { type, layers, heads, kvHeads, embedSize, maxLength, byteLength };
}

/** A result as a message carries it: arrays move. */
function packed(from: unknown, transfer: Transferable[]): unknown {
  if (from === null || typeof from !== 'object') return from;
  if (from instanceof ResidentTensor) return { [special]: 'out' } satisfies Special;
  if (ArrayBuffer.isView(from)) {
    if (!transfer.includes(from.buffer as ArrayBuffer)) transfer.push(from.buffer as ArrayBuffer);
    return from;
  }
  if (Array.isArray(from)) return from.map((one) => packed(one, transfer));
  return Object.fromEntries(Object.entries(from).map(([key, one]) => [key, packed(one, transfer)]));
}

export function failureOf(error: unknown): Failure {
  if (error instanceof CallersError) return { code: 'CALLER' };
  if (!(error instanceof AttentionError)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { code: 'OTHER', message, ...(stack && { stack }) };
  }
  const { code, argument, cause } = error;
  const message = argument ? error.message.slice(`${argument}: `.length) : error.message;
  return {
    code,
    message,
    ...(argument && { argument }),
    ...(cause instanceof Error && { cause: cause.message }),
  };
}

function goneTensor(): ResidentTensor {
  const tensor = strangersTensor();
  tensor.dispose();
  return tensor;
}

/** Its engine is nobody's: every call refuses it by name. */
function strangersTensor(): ResidentTensor {
  const engine = { disposed: false, core: { release() {} } };
  return new ResidentTensor(engine as unknown as Engine, 0, [], 'float32');
}
