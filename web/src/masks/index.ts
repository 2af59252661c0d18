import { checkKeys, integer, isArrayLike, oneOf } from '../arguments.js';
import { describe, invalid, refused } from '../errors.js';
import { operand } from '../operand.js';
import type { Mask, Masks } from '../types.js';
import { bigBird } from './big-bird.js';
import { blockSparse } from './blocks.js';
import { dense } from './dense.js';
import { dilated } from './dilated.js';
import { documents } from './documents.js';
import { fromFunction } from './from-function.js';
import { globalTokens } from './global-tokens.js';
import { flags, integerLists, naturals, notOfRank, unsupported, valuesOf } from './inputs.js';
import { causal, keyLengths, prefixes, sharedPrefix, slidingWindow } from './intervals.js';
import { keyTable } from './key-table.js';
import { RuleMask } from './mask.js';
import type { Extent, Rule } from './rule.js';

export type { Extent } from './rule.js';

/** Builders of masks: rules about query positions and keys. */
export const masks: Masks = Object.freeze({
  causal: () => new RuleMask(causal()),

  slidingWindow: (left: number, right: number) =>
    new RuleMask(slidingWindow(integer('left', left, -1), integer('right', right, -1))),

  keyPadding: (...[lengths]: Parameters<Masks['keyPadding']>) => new RuleMask(keyPadding(lengths)),

  prefixLM(prefix: Parameters<Masks['prefixLM']>[0]) {
    if (typeof prefix === 'number') return new RuleMask(sharedPrefix(integer('prefix', prefix, 0)));
    if (!isArrayLike(prefix)) throw invalid('prefix', prefix, 'an integer or an array of integers');
    return new RuleMask(prefixes(naturals('prefix', prefix)));
  },

  documents(ids: Parameters<Masks['documents']>[0]) {
    const { lists, perBatch } = integerLists('ids', ids);
    return new RuleMask(documents(lists, perBatch));
  },

  dilated: (window: number, dilation: number) =>
    new RuleMask(dilated(integer('window', window, 0), integer('dilation', dilation, 1))),

  globalTokens: (indices: Parameters<Masks['globalTokens']>[0]) =>
    new RuleMask(globalTokens(naturals('indices', indices))),

  bigBird(options: Parameters<Masks['bigBird']>[0]) {
    const given = checkKeys('options', options, ['blockSize', 'window', 'globalBlocks', 'randomBlocks', 'seed']);
    const blockSize = integer('options.blockSize', given.blockSize, 1);
    const window = integer('options.window', given.window, 1);
    if (window % 2 === 0) throw refused('options.window', String(window), 'an odd number of blocks');
    return new RuleMask(
      bigBird({
        blockSize,
        window,
        globalBlocks: integer('options.globalBlocks', given.globalBlocks, 0),
        randomBlocks: integer('options.randomBlocks', given.randomBlocks, 0),
        seed: integer('options.seed', given.seed ?? 0, -0x80000000),
      }),
    );
  },

  blockSparse(blocks: Parameters<Masks['blockSparse']>[0], blockSize: number) {
    const { tensor, values } = flags('blocks', blocks);
    const [batch, heads, rows, columns] = tensor.shape;
    if (tensor.shape.length !== 4) throw notOfRank('blocks', tensor, '[B or 1, H or 1, rows, columns]');
    const shape = [batch, heads, rows, columns] as [number, number, number, number];
    return new RuleMask(blockSparse(values, shape, integer('blockSize', blockSize, 1)));
  },

  dense(mask: Parameters<Masks['dense']>[0]) {
    const tensor = operand('mask', mask);
    if (tensor.dtype !== 'bool') {
      const isFloat = tensor.dtype === 'float32' || tensor.dtype === 'float16';
      throw unsupported('mask', tensor, isFloat ? 'bool: pass it as options.mask' : "bool: give dtype 'bool'");
    }
    if (tensor.shape.length > 4) throw notOfRank('mask', tensor, 'rank 4 at most');
    return new RuleMask(dense(new Uint8Array(valuesOf(tensor)), tensor.shape));
  },

  fromFunction(...[rule, options]: Parameters<Masks['fromFunction']>) {
    if (typeof rule !== 'function') throw invalid('rule', rule, 'a function of batch, head, query and key');
    const { perBatch, perHead } = checkKeys('options', options, ['perBatch', 'perHead']);
    return new RuleMask(
      fromFunction(
        rule,
        oneOf('options.perBatch', perBatch ?? true, [false, true]),
        oneOf('options.perHead', perHead ?? true, [false, true]),
      ),
    );
  },
});

const lengthsWanted = 'integers [B], or an attention mask [B,Skv]';

function keyPadding(lengths: Parameters<Masks['keyPadding']>[0]): Rule {
  if (isArrayLike(lengths)) return keyLengths(naturals('lengths', lengths));
  if (lengths === null || typeof lengths !== 'object') throw invalid('lengths', lengths, lengthsWanted);
  const { tensor, values } = flags('lengths', lengths);
  const [batch, width] = tensor.shape;
  if (tensor.shape.length === 2) return keyTable(values, batch as number, width as number);
  if (tensor.shape.length !== 1) throw notOfRank('lengths', tensor, lengthsWanted);
  if (tensor.dtype === 'bool') throw unsupported('lengths', tensor, lengthsWanted);
  return keyLengths(naturals('lengths', valuesOf(tensor)));
}

/** The name of a builder that was not called. */
export function builderName(value: unknown): keyof Masks | undefined {
  return (Object.keys(masks) as (keyof Masks)[]).find((name) => masks[name] === value);
}

/** @throws AttentionError where something was given that is neither a mask nor a tensor, but may be meant as one. */
export function refuseUnbuilt(argument: string, mask: unknown): void {
  const name = builderName(mask) ?? (typeof mask === 'string' && Object.hasOwn(masks, mask) ? mask : undefined);
  if (name !== undefined) throw refused(argument, describe(mask), `what it builds when called: masks.${name}(…)`);
  if (typeof mask === 'function') throw refused(argument, 'a function', 'masks.fromFunction(f)');
  if (typeof mask !== 'object') throw invalid(argument, mask, 'a tensor, or a rule such as masks.causal()');
  if (Array.isArray(mask) && isMask(mask[0])) throw refused(argument, 'a list of masks', 'one: a.and(b) joins them');
}

/** Tells masks of this module from tensors. */
export function isMask(value: unknown): value is Mask {
  return RuleMask.is(value);
}

/**
 * The mask as block-map.ts describes it, for a call with these extents (one for each batch entry) and heads. The same
 * array for the same shape: not to be written to. `argument` is the mask's name in errors.
 */
export function blockMap(mask: Mask, extents: readonly Extent[], heads: number, argument = 'options.mask'): Int32Array {
  return (mask as RuleMask).blockMap({ extents, heads, argument });
}
