import { type Attention, createAttention } from 'attention-wasm';
import {
  applyLens,
  differenceOf,
  type Head,
  headData,
  headOf,
  type Layer,
  type Lensed,
  overviewOf,
  tileOf,
} from './layers';
import { type ModelEvents, Models } from './models';
import { type Pass, readLong, readText } from './pass';
import type { LensSpec, Look, Overview, PassSpec, Place, Reading, Tile, TileSpec } from './protocol';
import { rolloutOf } from './rollout';

/** What the worker holds: an engine, models, the newest pass and how it is looked at. */
export class Session {
  readonly attention: Attention;
  readonly models: Models;
  #pass: Pass | null = null;
  #lensed: Lensed | null = null;
  #head: Head | null = null;
  #pinned: { head: Head; serial: number } | null = null;
  #serial = 0;
  #signal = AbortSignal.abort();
  #pictures: Generator<void, Overview> | null = null;

  static async create(events: ModelEvents): Promise<Session> {
    // Where the page is not isolated, or the engine has no threads, it is one.
    const attention = await createAttention({ threads: 'auto' });
    return new Session(attention, events);
  }

  constructor(attention: Attention, events: ModelEvents) {
    this.attention = attention;
    this.models = new Models(attention, events);
  }

  get pass(): Pass | null {
    return this.#pass;
  }

  get lensed(): Lensed | null {
    return this.#lensed;
  }

  /** Aborted as soon as the visitor asks for something else: work beside the screen need not go on. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /**
   * Tells what the look before did not have; of a long text its heads' pictures later, for they take as long as the pass.
   * Throws ABORTED when a newer one came.
   */
  async look(
    spec: PassSpec,
    lens: LensSpec,
    place: Place,
    signal: AbortSignal,
    tell: (look: Look) => void,
  ): Promise<void> {
    const { attention } = this;
    this.#signal = signal;
    const isSamePass = this.#pass !== null && isSame(this.#pass.spec, spec);
    const pass = isSamePass ? (this.#pass as Pass) : await this.read(spec, signal);
    signal.throwIfAborted();
    const isSameLens = isSamePass && this.#lensed !== null && isSame(this.#lensed.lens, lens);
    const lensed = isSameLens ? (this.#lensed as Lensed) : this.lens(pass, lens);
    const head = headOf(lensed, place);
    const data = headData(attention, ++this.#serial, pass, lensed, head);
    if (!isSameLens) this.#pictures = overviewOf(attention, lensed);
    this.#pass = pass;
    this.#lensed = lensed;
    this.#head = head;
    const isLong = pass.tokens.length > shortText;
    const overview = isLong ? undefined : await this.#overview(signal);
    tell({ head: data, ...(overview && { overview }), ...(!isSamePass && { reading: this.#reading(pass) }) });
    const later = isLong ? await this.#overview(signal, pause) : undefined;
    if (later) tell({ overview: later });
  }

  /** The pictures of all heads, if they have not been told of; what a newer look left unfinished, it goes on with. */
  async #overview(signal: AbortSignal, between?: () => Promise<void>): Promise<Overview | undefined> {
    while (this.#pictures) {
      await between?.();
      signal.throwIfAborted();
      const { done, value } = this.#pictures.next();
      if (!done) continue;
      this.#pictures = null;
      return value;
    }
    return undefined;
  }

  async read(spec: PassSpec, signal: AbortSignal): Promise<Pass> {
    if (spec.model === 'long') return readLong(this.attention, spec);
    const loaded = await this.models.get(spec.model);
    signal.throwIfAborted();
    return readText(this.attention, loaded, spec, signal);
  }

  lens(pass: Pass, lens: LensSpec): Lensed {
    const layers: readonly Layer[] = lens.kind === 'rollout' ? rolloutOf(this.attention, pass) : pass.layers;
    return applyLens(this.attention, pass, layers, lens);
  }

  tile(serial: number, { source, ...spec }: TileSpec): Tile | null {
    const [head, pinned] = [this.#head, this.#pinned];
    if (source === 'pinned') return pinned?.serial === serial ? tileOf(this.attention, pinned.head, spec) : null;
    if (!head || serial !== this.#serial) return null;
    if (source === 'current') return tileOf(this.attention, head, spec);
    return pinned && differenceOf(this.attention, head, pinned.head, spec);
  }

  /** Keeps the head of that number beside the ones to come; none, and false, where another has come meanwhile. */
  pin(serial: number): boolean {
    const isShown = this.#head !== null && serial === this.#serial;
    this.#pinned = this.#head && isShown ? { head: this.#head, serial } : null;
    return isShown;
  }

  #reading({ spec, layers: _layers, rule: _rule, ...reading }: Pass): Reading {
    const { variant, threads, memoryBytes } = this.attention.info;
    return { ...reading, pass: spec, engine: { variant, threads, memoryBytes } };
  }
}

/** Tokens up to which all heads are drawn in one go. */
const shortText = 160;

/** Lets messages in. */
const pause = () => new Promise<void>((done) => setTimeout(done));

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);
