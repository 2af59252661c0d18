import { Latest } from '../masks/latest.js';
import { RuleMask } from '../masks/mask.js';
import type { Call } from '../masks/rule.js';

const shapesKept = 4;
const nowhere = { perBatch: false, perHead: false, over: () => ({ coverage: () => 'empty' as const, mark: () => {} }) };

/** Asks the thread that has a rule for its block map. */
type Ask = (extents: Call['extents'], heads: number) => Promise<Int32Array>;

/** A mask whose rule another thread has. For PartedEngine: the block map is a promise, whatever the type says. */
export class DistantMask extends RuleMask {
  constructor(ask: Ask) {
    super(nowhere);
    asks.set(this, { ask, maps: new Latest(shapesKept) });
  }

  override blockMap({ extents, heads }: Call): Int32Array {
    const { ask, maps } = asks.get(this) as { ask: Ask; maps: Latest<Promise<Int32Array>> };
    const key = JSON.stringify([extents, heads]);
    return maps.get(key, () => {
      const map = ask(extents, heads);
      map.catch(() => maps.forget(key)); // Who waits for it is told as well.
      return map;
    }) as unknown as Int32Array;
  }
}

/** Beside the masks, which are frozen. */
const asks = new WeakMap<DistantMask, { ask: Ask; maps: Latest<Promise<Int32Array>> }>();
