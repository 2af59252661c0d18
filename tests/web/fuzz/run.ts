import fc from 'fast-check';
import { waitTimeout } from '../../patience.mjs';
import { seed } from '../random.ts';

/** Set by `npm run fuzz`, which asks for time and not for a number of cases. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 0);

/** Holds a property for so many cases, or for the seconds that were asked for, and tells how many there were. */
export async function explore(
  name: string,
  property: fc.IRawProperty<unknown[]>,
  cases: number,
  share = 1,
): Promise<void> {
  const asked = seconds
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 * share, seed: Date.now() | 0 }
    : { numRuns: cases, seed };
  // A case that never ends would else be interrupted with the rest, as if it had been well.
  const details = await fc.check(property, { ...asked, timeout: waitTimeout });
  console.log(`fuzz ${name}: ${details.numRuns} cases, seed ${details.seed}`);
  if (!details.failed && details.numRuns > 0) return;
  throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
}
