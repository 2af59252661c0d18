import type { Attention, AttentionErrorCode, LoadOptions, Masks } from '../types.js';

/** What the two threads say to each other. Handles are numbers that the calling side gives to what lives in the worker. */

/** A value in a message: what structured clones cannot carry is an object with this one key. */
export const special = '$attention';

export type Special =
  | { [special]: 'object'; handle: number }
  /** Of another worker. */
  | { [special]: 'stranger' }
  | { [special]: 'mask'; mask: number }
  /** A function of the caller's; or what is no value of any option, and is refused as a function would be. */
  | { [special]: 'function'; at: number }
  /** A builder of masks that was not called: refused there, as here, by its name. */
  | { [special]: 'builder'; name: keyof Masks }
  /** A promise that was not awaited. */
  | { [special]: 'promise' }
  /** In results: the tensor that was given as options.out. */
  | { [special]: 'out' };

export interface CallMessage {
  kind: 'call';
  /** 0: nobody waits for its result. */
  id: number;
  /** Of whom: 0 is the engine. */
  target: number;
  method: Method;
  args: unknown[];
  /** Whether progress is reported. */
  isWatched?: boolean;
  /** Whether it may be aborted. */
  mayEnd?: boolean;
  /** The handle of what comes back, where that stays in the worker. */
  as?: number | undefined;
}

/** 'read', 'createModel' and the transformers are the worker's own; the others are functions of what is called. */
export type Method =
  | 'tensor'
  | 'zeros'
  | 'read'
  | 'scaledDotProductAttention'
  | 'variableLengthAttention'
  | 'selfAttention'
  | 'crossAttention'
  | 'linearAttention'
  | 'attentionMap'
  | 'multiHeadAttention'
  | 'transformerEncoderLayer'
  | 'transformerDecoderLayer'
  | 'transformerEncoder'
  | 'transformerDecoder'
  | 'kvCache'
  | 'createModel'
  | 'createCache'
  | 'append'
  | 'attend'
  | 'truncate'
  | 'clear'
  | 'fork'
  | 'toBytes'
  | 'load'
  | 'forward'
  | 'embed'
  | 'generate';

export type ToWorker =
  | CallMessage
  | { kind: 'abort'; id: number }
  /** A provisional result has come before an abort. */
  | { kind: 'keep'; id: number }
  /** In its turn. */
  | { kind: 'release'; handle: number }
  | { kind: 'answer'; question: number; value?: unknown; failed?: boolean };

export type FromWorker =
  /** Provisional: an abort may have been sent before it comes, and undoes what the call did. */
  | { kind: 'result'; id: number; value: unknown; after: After; isProvisional: boolean }
  | { kind: 'error'; id: number; error: Failure; after: After }
  | { kind: 'progress'; id: number; done: number; total: number }
  | { kind: 'question'; id: number; question: number; ask: Question };

export type Question = { mask: number; extents: unknown; heads: number } | { function: number; args: unknown[] };

/** What a call leaves behind. */
export interface After {
  info: { memoryBytes: number; highWaterBytes: number };
  /** Of the caches it had to do with. */
  caches: { handle: number; length: number; byteLength: number }[];
}

/** Rejected: the caller's own function threw, and the calling side knows what. */
export type Failure =
  | { code: AttentionErrorCode; argument?: string; message: string; cause?: string }
  | { code: 'OTHER'; message: string; stack?: string }
  | { code: 'CALLER' };

export interface Start {
  port: MessagePort;
  options: Omit<LoadOptions, 'wasm' | 'signal'>;
  /** An address, content, or addresses by the files' names. */
  wasm: Exclude<LoadOptions['wasm'], URL | Response | ((file: string) => unknown)> | Record<string, string>;
}

/** The first message from the worker. */
export type Started = { kind: 'started'; info: Attention['info'] } | { kind: 'failed'; error: Failure };
