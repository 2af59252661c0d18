import { bindMethods } from '../bound.js';
import { AttentionError } from '../errors.js';
import { net } from '../forgotten.js';
import { makeDisposable } from '../tensor.js';
import type { Link } from './link.js';

/** Lets go of what lives in a worker when it was dropped without dispose(). */
const forgotten = net<{ link: Link; handle: number }>(({ link, handle }) => {
  if (link.isEnded) return false;
  link.release(handle);
  return true;
});

/** What a remote object is of: the line to its worker, and who ends it, which shall not be forgotten before. */
export interface Home {
  readonly link: Link;
}

/** Something that lives in a worker. */
export class Remote {
  /** @internal */
  readonly link: Link;
  /** @internal */
  readonly handle: number;
  /** @internal */
  readonly home: Home;
  #disposed = false;
  declare [Symbol.dispose]: () => void;

  constructor(home: Home, handle: number) {
    this.home = home;
    this.link = home.link;
    this.handle = handle;
    forgotten.register(this, { link: home.link, handle }, this);
    bindMethods(this);
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forgotten.unregister(this);
    this.link.release(this.handle);
  }

  /** @internal */
  refuseDisposed(what: string): void {
    if (this.#disposed) throw new AttentionError('DISPOSED', undefined, `this ${what} was disposed`);
  }
}

makeDisposable(Remote);
