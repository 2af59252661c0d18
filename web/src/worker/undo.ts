import { ResidentCache } from '../kv-cache.js';
import { LayerCaches } from '../models/cache.js';
import { ResidentTensor } from '../tensor.js';

/** What a call may change, as it was before. */
export interface Before {
  restore(): void;
  /** Gives its memory back. */
  forget(): void;
}

/** Of the caches among what a call has to do with, and of the tensor that it writes to. */
export function beforeCall(living: readonly unknown[], args: readonly unknown[]): Before[] {
  const { out } = (args.at(-1) ?? {}) as { out?: unknown };
  const caches = living.flatMap((one) => (one instanceof ResidentCache || one instanceof LayerCaches ? [one] : []));
  const before: Before[] = [];
  try {
    for (const cache of caches) before.push(beforeChange(cache));
    if (out instanceof ResidentTensor && !out.isDisposed) before.push(beforeWriting(out));
    return before;
  } catch (error) {
    for (const one of before) one.forget();
    throw error;
  }
}

function beforeChange(cache: ResidentCache | LayerCaches): Before {
  const copy = cache.fork() as unknown as typeof cache;
  return { restore: () => exchange(cache, copy), forget: () => copy.dispose() };
}

/** What the two hold changes places. */
function exchange(one: ResidentCache | LayerCaches, other: typeof one): void {
  if (one instanceof LayerCaches) {
    one.exchange(other as LayerCaches);
  } else {
    const [own, others] = [one.place, (other as ResidentCache).place];
    [own.address, others.address] = [others.address, own.address];
  }
}

function beforeWriting(tensor: ResidentTensor): Before {
  const values = tensor.data.slice();
  return { restore: () => (tensor.data as Float32Array).set(values as Float32Array), forget: () => {} };
}
