import type { AttentionResult } from '../types.js';
import { told } from './link.js';
import { type Home, Remote } from './remote.js';
import { attendedBy } from './results.js';
import type { CallOptions } from './types.js';

const untold = told('options', undefined)[0];

export class AsyncCache extends Remote {
  readonly capacity: number;

  constructor(home: Home, handle: number, { capacity }: { capacity: number }) {
    super(home, handle);
    this.capacity = capacity;
  }

  get length(): number {
    return this.#state.length;
  }

  get byteLength(): number {
    return this.#state.byteLength;
  }

  async append(k: unknown, v: unknown, options?: CallOptions): Promise<void> {
    const [how, rest] = told('options', options);
    this.refuseDisposed('cache');
    await this.link.call(this.handle, 'append', [k, v, rest], how);
  }

  async attend(q: unknown, k: unknown, v: unknown, options?: CallOptions): Promise<AttentionResult> {
    this.refuseDisposed('cache');
    return attendedBy(this.link, this.handle, 'attend', [q, k, v], options);
  }

  async truncate(length: number): Promise<void> {
    this.refuseDisposed('cache');
    await this.link.call(this.handle, 'truncate', [length], untold);
  }

  async clear(): Promise<void> {
    this.refuseDisposed('cache');
    await this.link.call(this.handle, 'clear', [], untold);
  }

  async fork(): Promise<AsyncCache> {
    this.refuseDisposed('cache');
    const handle = this.link.newHandle();
    await this.link.call(this.handle, 'fork', [], untold, handle);
    return new AsyncCache(this.home, handle, this);
  }

  async toBytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.refuseDisposed('cache');
    return this.link.call(this.handle, 'toBytes', [], untold);
  }

  async load(bytes: Uint8Array): Promise<void> {
    this.refuseDisposed('cache');
    await this.link.call(this.handle, 'load', [bytes], untold);
  }

  get #state() {
    this.refuseDisposed('cache');
    return this.link.stateOf(this.handle);
  }
}
