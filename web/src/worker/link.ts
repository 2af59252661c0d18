import { abortError, abortSignal, checkBag, oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { blockMap } from '../masks/index.js';
import type { Extent } from '../masks/rule.js';
import type { Mask } from '../types.js';
import type { After, CallMessage, Failure, FromWorker, Method, Question, Started, ToWorker } from './messages.js';
import { pack } from './pack.js';
import type { CallOptions } from './types.js';

/** What a call is told beside its arguments, checked. */
export interface Told {
  signal: AbortSignal | undefined;
  onProgress: CallOptions['onProgress'];
  transfer: boolean;
}

/** CallOptions out of an options bag, and the rest of it. `argument`: the bag's name. */
export function told<T extends CallOptions>(
  argument: string,
  given: T | undefined,
): [Told, Omit<T, keyof CallOptions>] {
  if (given === undefined) return [{ signal: undefined, onProgress: undefined, transfer: false }, {} as T];
  checkBag(argument, given);
  const { signal, onProgress, transfer, ...rest } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid(`${argument}.onProgress`, onProgress, 'a function');
  }
  return [
    {
      signal: abortSignal(signal, `${argument}.signal`),
      onProgress,
      transfer: oneOf(`${argument}.transfer`, transfer ?? false, [false, true]),
    },
    rest,
  ];
}

type CacheState = After['caches'][number];

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  functions: ((...args: unknown[]) => unknown)[];
  masks: Map<number, Mask>;
  onProgress: CallOptions['onProgress'];
  /** What the caller's own function threw. */
  thrown?: { error: unknown };
}

/** The caller's end of the line to a worker. */
export class Link {
  readonly #port: MessagePort;
  readonly #terminate: () => unknown;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #handles = 0;
  #ended: AttentionError | undefined;
  /** Of the engine, after the last finished call. */
  memory: After['info'] = { memoryBytes: 0, highWaterBytes: 0 };
  /** Of what lives there. `asOf`: the last call before a change that this side knows of, and the worker is yet to make. */
  readonly #states = new Map<number, CacheState & { asOf: number }>();

  constructor(port: MessagePort, terminate: () => unknown) {
    this.#port = port;
    this.#terminate = terminate;
  }

  /** What the worker says first; then the line is open. */
  started(): Promise<Started> {
    return new Promise((resolve) => {
      this.#port.onmessage = ({ data }) => {
        this.#port.onmessage = ({ data }) => this.#receive(data as FromWorker);
        this.#rest();
        resolve(data as Started);
      };
    });
  }

  newHandle(): number {
    const handle = ++this.#handles;
    this.#states.set(handle, { handle, length: 0, byteLength: 0, asOf: 0 });
    return handle;
  }

  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  async call<T>(
    target: number,
    method: Method,
    args: readonly unknown[],
    { signal, onProgress, transfer }: Told,
    as?: number,
  ): Promise<T> {
    this.#refuseEnded(signal);
    const packed = pack(args, this, transfer);
    this.#refuseEnded(signal); // by a getter
    const id = ++this.#calls;
    const { functions, masks } = packed;
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, functions, masks, onProgress });
    });
    const isWatched = onProgress !== undefined;
    const mayEnd = isWatched || signal !== undefined;
    const message: CallMessage = { kind: 'call', id, target, method, args: packed.args, as, isWatched, mayEnd };
    const abort = () => {
      this.#settle(id)?.reject(abortError(signal as AbortSignal));
      this.#send({ kind: 'abort', id });
    };
    try {
      this.#sendCall(message, packed.transfer);
      this.#work();
      signal?.addEventListener('abort', abort, { once: true });
      return (await result) as T;
    } catch (error) {
      this.#settle(id);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #refuseEnded(signal: AbortSignal | undefined): void {
    if (this.#ended) throw this.#ended;
    if (signal?.aborted) throw abortError(signal);
  }

  /** A call without a result: should it fail, the next one that has to do with the same object says so. */
  tell(target: number, method: Method, args: readonly unknown[], as?: number): void {
    if (this.#ended) throw this.#ended;
    this.#send({ kind: 'call', id: 0, target, method, args: [...args], as });
  }

  /** Of a cache, after the last finished call that had to do with it. */
  stateOf(handle: number): Omit<CacheState, 'handle'> {
    return this.#states.get(handle) ?? { length: 0, byteLength: 0 };
  }

  /** What it will be once the worker has done what it was told. */
  expect(state: CacheState): void {
    this.#states.set(state.handle, { ...state, asOf: this.#calls });
  }

  release(handle: number): void {
    this.#states.delete(handle);
    if (!this.#ended) this.#send({ kind: 'release', handle });
  }

  /** Calls under way, and all that come, reject with `error`. */
  end(error: AttentionError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#port.close();
    this.#terminate();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    switch (message.kind) {
      case 'progress':
        this.#report(message, pending);
        break;
      case 'question':
        this.#answer(message.question, message.ask, pending);
        break;
      case 'result':
        if (message.isProvisional) {
          this.#send({ kind: pending ? 'keep' : 'abort', id: message.id });
          if (!pending) break; // it will be undone
        }
        this.#take(message);
        this.#settle(message.id)?.resolve(message.value);
        break;
      case 'error':
        this.#take(message);
        this.#settle(message.id)?.reject(errorOf(message.error, pending));
        break;
    }
  }

  #take({ id, after: { info, caches } }: { id: number; after: After }): void {
    this.memory = info;
    for (const state of caches) {
      const known = this.#states.get(state.handle);
      if (known && id > known.asOf) this.#states.set(state.handle, { ...state, asOf: known.asOf });
    }
  }

  /** What the caller's own function throws ends its call. */
  #report({ id, done, total }: { id: number; done: number; total: number }, pending: Pending | undefined): void {
    try {
      pending?.onProgress?.(done, total);
    } catch (error) {
      this.#settle(id)?.reject(error);
      this.#send({ kind: 'abort', id });
    }
  }

  async #answer(question: number, ask: Question, pending: Pending | undefined): Promise<void> {
    try {
      if (!pending) throw new Error('nobody waits for this call');
      const value =
        'mask' in ask ? mapOf(ask, pending) : (await pending.functions[ask.function]?.(...ask.args)) !== false;
      this.#send({ kind: 'answer', question, value });
    } catch (error) {
      if (pending) pending.thrown = { error };
      this.#send({ kind: 'answer', question, failed: true });
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#rest();
    return pending;
  }

  #sendCall(message: CallMessage, transfer: Transferable[]): void {
    try {
      this.#send(message, transfer);
    } catch (cause) {
      if ((cause as Error)?.name !== 'DataCloneError') throw cause;
      throw new AttentionError('INVALID_ARGUMENT', undefined, 'got memory that cannot be sent to a worker', { cause });
    }
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** Node.js may end while nothing is under way, although the line is open. */
  #rest(): void {
    (this.#port as { unref?(): void }).unref?.();
  }
  #work(): void {
    (this.#port as { ref?(): void }).ref?.();
  }
}

function mapOf({ mask, extents, heads }: Extract<Question, { mask: number }>, { masks }: Pending): Int32Array {
  return blockMap(masks.get(mask) as Mask, extents as Extent[], heads);
}

export function errorOf(failure: Failure, pending: Pending | undefined): unknown {
  if (failure.code === 'CALLER') return pending?.thrown?.error;
  if (failure.code === 'OTHER')
    return Object.assign(new Error(failure.message), failure.stack && { stack: failure.stack });
  const { code, argument, message, cause } = failure;
  return new AttentionError(code, argument, message, cause === undefined ? {} : { cause: new Error(cause) });
}
