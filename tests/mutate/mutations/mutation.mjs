/** A mistake in the core, for Catch2 tags to notice; and one in the package, for files of Vitest. */
export function core(file, name, find, replace, tests = ['[mask]', '[random]']) {
  return { name, file: `cpp/${file}`, find, replace, by: 'cpp', tests };
}

export function wrapper(file, tests, name, find, replace) {
  return { name, file: `web/src/${file}`, find, replace, by: 'node', tests: tests.map((one) => `tests/web/${one}`) };
}
