// How long anything in a test may take, in milliseconds: a net under what hangs, and never a judgement, for other programs
// may have the processors.

export const testTimeout = 600_000;

/** Ends before its test does, so that it can say what did not come. */
export const waitTimeout = 300_000;

/** For every configuration of Vitest. */
export const patience = {
  testTimeout,
  hookTimeout: testTimeout,
  teardownTimeout: testTimeout,
  expect: { poll: { timeout: waitTimeout } },
};
