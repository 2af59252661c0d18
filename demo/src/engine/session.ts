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
import { Models, type Progress } from './models';
import { type Pass, readLong, readText } from './pass';
import type { LensSpec, Look, PassSpec, Place, Reading, Tile, TileSpec } from './protocol';
import { rolloutOf } from './rollout';

/** What the worker holds: an engine, models, the newest pass and how it is looked at. */
export class Session {
  readonly attention: Attention;
  readonly models: Models;
  #pass: Pass | null = null;
  #lensed: Lensed | null = null;
  #head: Head | null = null;
  #pinned: Head | null = null;
  #serial = 0;

  static async create(onProgress: Progress): Promise<Session> {
    const threads = globalThis.crossOriginIsolated ? Math.min(2, navigator.hardwareConcurrency) : 1;
    const attention = await createAttention({ threads });
    return new Session(attention, onProgress);
  }

  constructor(attention: Attention, onProgress: Progress) {
    this.attention = attention;
    this.models = new Models(attention, onProgress);
  }

  get pass(): Pass | null {
    return this.#pass;
  }

  get lensed(): Lensed | null {
    return this.#lensed;
  }

  /** Only what the look before did not have; throws ABORTED when a newer one came. */
  async look(spec: PassSpec, lens: LensSpec, place: Place, signal: AbortSignal): Promise<Look> {
    const { attention } = this;
    const isSamePass = this.#pass !== null && isSame(this.#pass.spec, spec);
    const pass = isSamePass ? (this.#pass as Pass) : await this.read(spec, signal);
    signal.throwIfAborted();
    const isSameLens = isSamePass && this.#lensed !== null && isSame(this.#lensed.lens, lens);
    const lensed = isSameLens ? (this.#lensed as Lensed) : this.lens(pass, lens);
    const overview = isSameLens ? undefined : overviewOf(attention, lensed);
    const head = headOf(lensed, inside(place, lensed));
    const data = headData(attention, ++this.#serial, pass, lensed, head);
    this.#pass = pass;
    this.#lensed = lensed;
    this.#head = head;
    return { head: data, ...(overview && { overview }), ...(!isSamePass && { reading: this.#reading(pass) }) };
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
    if (!head || serial !== this.#serial) return null;
    if (source === 'current') return tileOf(this.attention, head, spec);
    if (!pinned) return null;
    if (source === 'pinned') return tileOf(this.attention, pinned, spec);
    return differenceOf(this.attention, head, pinned, spec);
  }

  /** Keeps the shown head beside the ones to come. */
  pin(): void {
    this.#pinned = this.#head;
  }

  #reading({ spec, layers: _layers, rule: _rule, ...reading }: Pass): Reading {
    const { variant, threads, memoryBytes } = this.attention.info;
    return { ...reading, pass: spec, engine: { variant, threads, memoryBytes } };
  }
}

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

function inside({ layer, head }: Place, { layers }: Lensed): Place {
  return { layer: Math.min(layer, layers.length - 1), head: Math.min(head, layers[0].heads - 1) };
}
