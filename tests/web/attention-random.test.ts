import { test } from 'vitest';
import { expectAttention, stages } from './against-oracle.ts';
import { type AttentionCase, Random, randomAttention, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const cases = 2400;
const groups = 24;

/** Semantics 12: within 2e-6·(1 + max|V|) for |scores| ≤ 50, to which the cases keep; compare.ts derives the other bounds. */
forEachVariant('random attention', (engine) => {
  test.for(Array.from({ length: groups }, (_, group) => group))(`group %i of ${groups}, seed ${seed}`, (group) => {
    for (let n = group; n < cases; n += groups) {
      const random = new Random(seed + n);
      const c = randomAttention(random);
      const weights = random.chance(0.4) ? random.pick([...stages, true] as const) : false;
      try {
        expectAttention(engine(), [c.q, c.k, c.v], c.options, { weights, logSumExp: random.chance(0.5) });
      } catch (error) {
        const message = `first case of ATTENTION_WASM_SEED=${seed + n}: ${describeCase(c)} weights: ${weights}: ${error}`;
        throw new Error(message, { cause: error });
      }
    }
  });
});

function describeCase({ q, k, v, options }: AttentionCase): string {
  const tensor = (t: { data: ArrayLike<unknown>; shape: number[]; dtype?: string }) =>
    `${t.dtype ?? t.data.constructor.name}[${t.shape}]`;
  const option = ([name, value]: [string, unknown]) => {
    const whole = value as { data: ArrayLike<unknown>; shape: number[] };
    return `${name}: ${value !== null && typeof value === 'object' && 'shape' in value ? tensor(whole) : value}`;
  };
  return [`q ${tensor(q)}, k ${tensor(k)}, v ${tensor(v)}`, ...Object.entries(options).map(option)].join(', ');
}
