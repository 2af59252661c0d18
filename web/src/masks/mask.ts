import { bindMethods } from '../bound.js';
import { invalid } from '../errors.js';
import type { Mask, MaskShape } from '../types.js';
import { compile } from './block-map.js';
import { complement, intersection, union } from './combine.js';
import { DenseMap } from './dense-map.js';
import { Latest } from './latest.js';
import type { Call, Extent, Rule } from './rule.js';
import { allocate, callOf, sizesOf } from './shape.js';

const shapesKept = 4;

/** A rule, and the block maps of the latest shapes it was asked for. */
export class RuleMask implements Mask {
  readonly #rule: Rule;
  readonly #maps = new Latest<Int32Array>(shapesKept);

  constructor(rule: Rule) {
    this.#rule = rule;
    bindMethods(this);
    Object.freeze(this);
  }

  static is(value: unknown): value is RuleMask {
    return typeof value === 'object' && value !== null && #rule in value;
  }

  and(other: Mask): Mask {
    return new RuleMask(intersection(this.#rule, ruleOf(other)));
  }

  or(other: Mask): Mask {
    return new RuleMask(union(this.#rule, ruleOf(other)));
  }

  not(): Mask {
    return new RuleMask(complement(this.#rule));
  }

  toDense(shape: MaskShape): ReturnType<Mask['toDense']> {
    const sizes = sizesOf(shape);
    const { batch, heads, queries, keys } = sizes;
    const data = allocate(sizes);
    const map = this.blockMap(callOf(sizes));
    if (data.length > 0) new DenseMap(map, queries, keys).expand(batch, heads, data);
    const dims = [batch, heads, queries, keys];
    return { data, shape: dims, dims: [...dims], dtype: 'bool' };
  }

  density(shape: MaskShape): number {
    const sizes = sizesOf(shape);
    return new DenseMap(this.blockMap(callOf(sizes)), sizes.queries, sizes.keys).density();
  }

  /** @internal The same array for the same shape: not to be written to. */
  blockMap(call: Call): Int32Array {
    const { perBatch, perHead } = this.#rule;
    const [first] = call.extents;
    const isOneForAll = !perBatch && first !== undefined && call.extents.every((extent) => areEqual(extent, first));
    const extents = isOneForAll ? [first] : call.extents;
    const heads = perHead ? call.heads : Math.min(1, call.heads);
    const key = `${heads}:${extents.map(({ queries, keys, offset }) => `${queries},${keys},${offset}`).join(';')}`;
    return this.#maps.get(key, () => {
      this.#rule.check?.(call);
      return compile(this.#rule, { ...call, extents, heads });
    });
  }

  /** @internal */
  static rule(mask: RuleMask): Rule {
    return mask.#rule;
  }
}

function ruleOf(other: unknown): Rule {
  if (!RuleMask.is(other)) throw invalid('other', other, 'a mask made by masks');
  return RuleMask.rule(other);
}

function areEqual(a: Extent, b: Extent): boolean {
  return a.queries === b.queries && a.keys === b.keys && a.offset === b.offset;
}
