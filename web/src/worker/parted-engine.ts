import { abortError } from '../arguments.js';
import { Engine, type Request, type Results } from '../engine.js';
import type { Operand } from '../operand.js';
import { nextTurn } from '../turns.js';

/** Who looks on while a call is made. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Items done of all. */
  progress(done: number, items: number): void;
  /** When messages were last looked at, if they were: many short calls are as long as one. */
  lookedUp?: number;
}

/** Milliseconds after which messages are looked at: what a call that is given up may still take, several times over. */
const partTime = 8;

/** While it is watched, the result of a long call is a promise, and messages are looked at in between. */
export class PartedEngine extends Engine {
  watch: Watch | undefined;

  /** A promise of R, whatever the type says, where the request is long and there is a watch: who sets one awaits. */
  override call<R>(request: Request, read: (results: Results) => R): R {
    const { watch } = this;
    return watch && request.isLong ? (this.#watched(watch, request, read) as R) : super.call(request, read);
  }

  /**
   * The core makes the call in parts, some items at a time; no other call may come in between. Where it is given up, it
   * has done nothing.
   */
  async #watched<R>(watch: Watch, request: Request, read: (results: Results) => R): Promise<R> {
    const operands = await Promise.all(request.operands as readonly Operand[]);
    const { core } = this;
    const { signal, progress } = watch;
    const pace = new Pace(watch);
    try {
      this.stage({ ...request, operands });
      for (;;) {
        core.nextPart(pace.next());
        this.run({ ...request, operands });
        const [done, items] = [core.itemsDone(), core.itemsInAll()];
        progress(done, items);
        if (done === items) return read(this.results(request));
        if (pace.isTimeToLookUp) await pace.lookUp();
        if (signal.aborted) throw abortError(signal);
      }
    } finally {
      core.finishCall();
    }
  }
}

/** How many items are next, so that a part takes its time and no longer. */
class Pace {
  #items = 0;
  #began = performance.now();
  readonly #watch: Watch;

  constructor(watch: Watch) {
    this.#watch = watch;
    watch.lookedUp ??= this.#began;
  }

  next(): number {
    const now = performance.now();
    const fitting = (this.#items * partTime) / Math.max(now - this.#began, 0.01);
    this.#items = Math.max(1, Math.min(this.#items * 4, Math.floor(fitting)));
    this.#began = now;
    return this.#items;
  }

  get isTimeToLookUp(): boolean {
    return performance.now() - (this.#watch.lookedUp as number) >= partTime / 2;
  }

  async lookUp(): Promise<void> {
    const took = performance.now() - this.#began;
    await nextTurn();
    const now = performance.now();
    this.#watch.lookedUp = now;
    this.#began = now - took;
  }
}
