import type { Attention, TensorLike } from 'attention-wasm';
import { readSafetensors } from 'attention-wasm/models';
import config from 'minilm-files/config.json';
import float16Url from 'minilm-files/model.fp16.safetensors?url';
import int8Url from '../generated/minilm.int8.safetensors?url';
import tokenizerUrl from '../generated/tokenizer.json?url';
import sizes from '../generated/weights.json';
import { download, fetchFile } from './download';
import { readInt8 } from './int8-file';
import { type Loaded, openMinilm } from './minilm';
import type { ModelName } from './protocol';
import { lengthen } from './tokenizer-file';

export interface ModelEvents {
  onProgress(loaded: number, total: number): void;
  /** The tokenizer of the visitor's own model begins, or is over. */
  onTokenizing(isOver: boolean): void;
}

const positions = 'embeddings.position_embeddings.weight';

/** The models of the page: fetched when first asked for, one kept beside the default. */
export class Models {
  readonly #attention: Attention;
  readonly #events: ModelEvents;
  #default: Promise<Loaded> | null = null;
  #other: { name: ModelName; loading: Promise<Loaded> } | null = null;

  constructor(attention: Attention, events: ModelEvents) {
    this.#attention = attention;
    this.#events = events;
  }

  get(name: ModelName): Promise<Loaded> {
    if (name === 'int8') {
      this.#default ??= this.#retried(this.#minilm('int8'), () => {
        this.#default = null;
      });
      return this.#default;
    }
    if (this.#other?.name === name) return this.#other.loading;
    if (name === 'own') return Promise.reject(new Error('No model of your own is open: drop its files first.'));
    return this.#keep(name, this.#minilm(name === 'float16' ? 'float16' : 'int8', name === 'no-positions'));
  }

  /** Takes the place of the former other model. */
  open(own: Loaded): void {
    const { encode, extend } = own;
    const watched = { ...own, encode: this.#watched(encode), ...(extend && { extend: this.#watched(extend) }) };
    this.#keep('own', Promise.resolve(watched));
  }

  /** The patterns of a tokenizer from elsewhere may take for ever: the page is told, and can end it. */
  #watched<A extends unknown[], R>(tokenize: (...given: A) => R): (...given: A) => R {
    return (...given) => {
      this.#events.onTokenizing(false);
      try {
        return tokenize(...given);
      } finally {
        this.#events.onTokenizing(true);
      }
    };
  }

  #keep(name: ModelName, loading: Promise<Loaded>): Promise<Loaded> {
    this.#other?.loading.then(
      ({ model }) => model.dispose(),
      () => {},
    );
    this.#other = {
      name,
      loading: this.#retried(loading, () => {
        if (this.#other?.name === name) this.#other = null;
      }),
    };
    return this.#other.loading;
  }

  /** What failed is not kept, so that it can be asked for again. */
  #retried(loading: Promise<Loaded>, forget: () => void): Promise<Loaded> {
    loading.catch(forget);
    return loading;
  }

  async #minilm(weights: 'int8' | 'float16', withoutPositions = false): Promise<Loaded> {
    const total = sizes[weights].bytes;
    this.#events.onProgress(0, total);
    const [tokenizer, bytes] = await Promise.all([
      fetchFile(tokenizerUrl).then(async (response) => lengthen(await response.json())),
      download(weights === 'int8' ? int8Url : float16Url, total, (loaded) => this.#events.onProgress(loaded, total)),
    ]);
    const tensors = weights === 'int8' ? readInt8(bytes) : readSafetensors(bytes);
    const given = withoutPositions ? without(tensors, positions) : tensors;
    const loaded = openMinilm(this.#attention, { config, tokenizer, tensors: given, weights });
    return withoutPositions ? { ...loaded, info: { ...loaded.info, title: 'MiniLM without positions' } } : loaded;
  }
}

/** The same tensors with one of them all zeros. */
function without(tensors: Readonly<Record<string, TensorLike>>, name: string): Readonly<Record<string, TensorLike>> {
  const { shape } = tensors[name] as { shape: readonly number[] };
  const zeros = { data: new Float32Array(shape.reduce((product, dim) => product * dim, 1)), shape };
  // Not a spread: the tensors are read one after the other.
  const all = Object.getOwnPropertyDescriptors(tensors);
  return Object.defineProperties({}, { ...all, [name]: { value: zeros, enumerable: true } });
}
