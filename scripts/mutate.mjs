// Breaks options, masks, caches and models at one place after another and runs the tests that should notice; fails where none does.
//   npm run mutate [-- part of a name]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mutate, refreshCopy } from '../tests/mutate/copy.mjs';
import { mutations } from '../tests/mutate/mutations.mjs';
import { configureNative, endRunning, suites } from '../tests/mutate/suites.mjs';
import { Failure, main, repository } from './lib/run.mjs';

await main(import.meta.url, async () => {
  const part = process.argv.slice(2).join(' ');
  const chosen = mutations.filter(({ name }) => name.includes(part));
  if (chosen.length === 0) throw new Failure(`No mutation has '${part}' in its name.`);
  if (!existsSync(join(repository, 'dist'))) throw new Failure('There is no dist/ to break: npm run build');
  // The next run puts the copy right, whatever it finds there.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      endRunning();
      process.exit(130);
    });
  }
  await refreshCopy();
  checkAllApply(chosen);
  for (const by of ['cpp', 'node']) await requireSound(by, chosen);
  let survivors = 0;
  for (const mutation of chosen) survivors += (await killerOf(mutation)) === undefined ? 1 : 0;
  console.log(`\n${chosen.length - survivors} killed, ${survivors} survived`);
  if (survivors > 0) process.exitCode = 1;
});

/** A mutation whose place is gone would be found after minutes otherwise. */
function checkAllApply(chosen) {
  for (const mutation of chosen) mutate(mutation)();
}

/** What fails unbroken would kill every mutation. */
async function requireSound(by, chosen) {
  const tests = [...new Set(chosen.filter((one) => one.by === by).flatMap((one) => one.tests))];
  if (tests.length === 0) return;
  if (by === 'cpp') await configureNative();
  const { result, seconds } = await timed(async () => {
    await suites[by].build();
    return suites[by].run(tests);
  });
  if (result !== undefined) throw new Failure(`Before anything is broken this fails: ${result}`);
  console.log(line('unbroken', seconds, by, tests.join(' ')));
}

/** The test that notices a mutation, or undefined. */
async function killerOf(mutation) {
  const { by, name, tests } = mutation;
  const restore = mutate(mutation);
  try {
    const { result, seconds } = await timed(async () => {
      await suites[by].build();
      return suites[by].run(tests);
    });
    console.log(line(result === undefined ? 'SURVIVED' : 'killed', seconds, by, name, result && `by "${result}"`));
    return result;
  } finally {
    restore();
  }
}

async function timed(work) {
  const began = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - began) / 1000 };
}

function line(outcome, seconds, by, ...rest) {
  return [outcome.padEnd(8), `${seconds.toFixed(1).padStart(6)} s`, by.padEnd(4), ...rest].filter(Boolean).join('  ');
}
