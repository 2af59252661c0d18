import fc from 'fast-check';
import { builders, type Fit, type Told } from '../mask-builders.ts';
import { and, not, or } from '../mask-trees.ts';
import { Random } from '../random.ts';

/** A rule of `masks` by name, its arguments drawn from a seed of its own, or rules put together. */
export type MaskTree =
  | { rule: string; seed: number }
  | { not: MaskTree }
  | { and: [MaskTree, MaskTree] }
  | { or: [MaskTree, MaskTree] };

export function meaningOf(tree: MaskTree, fit: Fit): Told {
  if ('rule' in tree) return (builders[tree.rule] as (typeof builders)[string])(new Random(tree.seed), fit);
  if ('not' in tree) return not(meaningOf(tree.not, fit));
  if ('and' in tree) return and(meaningOf(tree.and[0], fit), meaningOf(tree.and[1], fit));
  return or(meaningOf(tree.or[0], fit), meaningOf(tree.or[1], fit));
}

export const maskTree: fc.Arbitrary<MaskTree> = fc.letrec<{ tree: MaskTree }>((tie) => {
  const branches = fc.tuple(tie('tree'), tie('tree'));
  return {
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      {
        weight: 5,
        arbitrary: fc.record({ rule: fc.constantFrom(...Object.keys(builders)), seed: fc.noBias(fc.nat(10_000)) }),
      },
      { weight: 1, arbitrary: fc.record({ not: tie('tree') }) },
      { weight: 2, arbitrary: fc.record({ and: branches }) },
      { weight: 2, arbitrary: fc.record({ or: branches }) },
    ),
  };
}).tree;
